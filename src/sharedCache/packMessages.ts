import type { ModuleId } from "../identity/moduleId.ts";

/** What passes between the service and the threads that pack and unpack symcache files. A `file` is a descriptor. */
export interface PackProtocol {
  /** Packs the symcache file at a path into an open, empty file. Undefined where there is no such file any more. */
  pack(ask: { path: string; file: number }): { bytes: number; sha256: string } | undefined;
  /** Writes what the frame holds to where it belongs in an open file. Gives the checksums of its pages. */
  unpack(ask: UnpackAsk): { checksums: Uint8Array<ArrayBuffer> } | Damage | DiskFault;
  /** Whether a file is the module's symcache, with pages of these checksums. */
  check(ask: { path: string; module: ModuleId; checksums: Uint8Array }): Damage | DiskFault | undefined;
}

export interface UnpackAsk {
  file: number;
  symcacheHeader: Uint8Array;
  frame: ArrayBuffer;
  /** Bytes that the frame must hold. */
  packed: number;
  at: number;
  length: number;
}

/** What was to be unpacked is not sound. */
export interface Damage {
  damage: string;
}

/** What the disk says. */
export interface DiskFault {
  diskFault: string;
}

export interface PackThreadData {
  wasm: WebAssembly.Module;
}
