import type { ModuleId } from "../identity/moduleId.ts";

/** Between the service and its pack threads. `file` is a file descriptor. */
export interface PackProtocol {
  /** Packs a symcache file into an open, empty file. Undefined if the file was evicted. */
  pack(ask: { path: string; file: number }): { bytes: number; sha256: string } | undefined;
  /** Writes the chunk in a frame to its position in an open file, and returns the checksums of its pages. */
  unpack(ask: UnpackAsk): { checksums: Uint8Array<ArrayBuffer> } | Failure;
  /** Checks that a file is the module's symcache, with these page checksums. */
  check(ask: { path: string; module: ModuleId; checksums: Uint8Array }): Record<string, never> | Failure;
}

export interface UnpackAsk {
  file: number;
  symcacheHeader: Uint8Array;
  frame: ArrayBuffer;
  /** Expected size of the frame's content. */
  packed: number;
  at: number;
  length: number;
}

/** The data is damaged, or the disk failed. */
export interface Failure {
  failure: "damage" | "disk";
  message: string;
}

export interface PackThreadData {
  wasm: WebAssembly.Module;
}
