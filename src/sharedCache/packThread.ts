/** Thread entry: packs and unpacks symcache files for the shared cache. */
import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { ModuleId } from "../identity/moduleId.ts";
import { Symcache, SymcacheDamaged } from "../symcache/symcache.ts";
import { openFile } from "../symcache/symcacheFile.ts";
import { WasmInstance } from "../symcache/wasmInstance.ts";
import { replyToAsks, reportProgress } from "../threads/replyToAsks.ts";
import { lowerPriority } from "../threads/lowerPriority.ts";
import { Chunks, type PackedChunk } from "./chunks.ts";
import { chunkBytes, headerBytes, symcacheHeaderBytes, writeHeader } from "./packedHeader.ts";

/** `file` is a file descriptor. */
export interface PackProtocol {
  /** Packs a symcache file into an open, empty file. Undefined if the file was evicted. */
  pack(ask: { path: string; file: number }): { bytes: number; sha256: string } | undefined;
  /** Writes the chunk in a frame to its position in an open file, and returns the checksums of its pages. */
  unpack(
    ask: { file: number; symcacheHeader: Uint8Array } & PackedChunk,
  ): { checksums: Uint8Array<ArrayBuffer> } | Failure;
  /** Checks that a file is the module's symcache, with these page checksums. */
  check(ask: { path: string; module: ModuleId; checksums: Uint8Array }): Record<string, never> | Failure;
}

/** The data is damaged, or the disk failed. */
export interface Failure {
  failure: "damage" | "disk";
  message: string;
}

const wasm = workerData as WebAssembly.Module;
const chunks = new Chunks(wasm);
const pieceBytes = 1024 * 1024;

lowerPriority();
replyToAsks<PackProtocol>({
  pack({ path, file }) {
    try {
      return [pack(path, file)];
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [undefined];
      throw error;
    }
  },
  unpack: ({ file, symcacheHeader, ...packedChunk }) =>
    catchFailure(() => {
      const { chunk, checksums } = chunks.unpack(symcacheHeader, packedChunk);
      writeAll(file, chunk, packedChunk.at);
      return [{ checksums }, [checksums.buffer]];
    }),
  check: ({ path, module, checksums }) =>
    catchFailure(() => {
      check(path, module, checksums);
      return [{}];
    }),
});

function catchFailure<Result>(work: () => Result): Result | [Failure] {
  try {
    return work();
  } catch (error) {
    if (error instanceof SymcacheDamaged) return [{ failure: "damage", message: error.message }];
    if (error instanceof Error && "syscall" in error) return [{ failure: "disk", message: error.message }];
    throw error;
  }
}

function pack(path: string, into: number): { bytes: number; sha256: string } {
  using symcache = openFile(path);
  const symcacheHeader = new Uint8Array(symcacheHeaderBytes);
  symcache.readAt(symcacheHeader, 0);
  const packedChunks: { frameBytes: number; packed: number }[] = [];
  let bytes = headerBytes(symcache.size);
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < symcache.size; at += chunkBytes) {
    const length = symcache.readAt(chunk, at);
    const { frame, packed } = chunks.pack(symcacheHeader, at, chunk.subarray(0, length));
    writeAll(into, frame, bytes);
    packedChunks.push({ frameBytes: frame.length, packed });
    bytes += frame.length;
    reportProgress();
  }
  writeAll(into, writeHeader(symcache.size, symcacheHeader, packedChunks), 0);
  return { bytes, sha256: sha256(into, bytes) };
}

function sha256(file: number, bytes: number): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes;) {
    const bytesRead = readSync(file, piece, 0, Math.min(pieceBytes, bytes - at), at);
    if (bytesRead === 0) throw new Error("the packed file was truncated");
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest("hex");
}

/** Throws a SymcacheDamaged. */
function check(path: string, module: ModuleId, checksums: Uint8Array): void {
  using file = openFile(path);
  using symcache = Symcache.open(new WasmInstance(wasm), file.readAt, file.size, module);
  if (Buffer.compare(symcache.checksums, checksums) !== 0)
    throw new SymcacheDamaged("pages have wrong checksums");
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
}
