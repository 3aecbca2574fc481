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
import { ChunkDamaged, Chunks } from "./chunks.ts";
import { chunkBytes, headerBytes, symcacheHeaderBytes, writeHeader, type Chunk } from "./packedHeader.ts";
import type { Failure, PackProtocol, PackThreadData } from "./packProtocol.ts";

const { wasm } = workerData as PackThreadData;
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
  unpack: ({ file, symcacheHeader, frame, packed, at, length }) =>
    catchFailure(() => {
      const ask = { at, length, frame: new Uint8Array(frame), packed };
      const { chunk, checksums } = chunks.unpack(symcacheHeader, ask);
      writeAll(file, chunk, at);
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
    if (error instanceof ChunkDamaged || error instanceof SymcacheDamaged)
      return [{ failure: "damage", message: error.message }];
    if (error instanceof Error && "syscall" in error) return [{ failure: "disk", message: error.message }];
    throw error;
  }
}

function pack(path: string, into: number): { bytes: number; sha256: string } {
  using symcache = openFile(path);
  const symcacheHeader = new Uint8Array(symcacheHeaderBytes);
  symcache.readAt(symcacheHeader, 0);
  const packedChunks: Chunk[] = [];
  let bytes = headerBytes(symcache.size);
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < symcache.size; at += chunkBytes) {
    const length = symcache.readAt(chunk, at);
    const { frame, packed } = chunks.pack(symcacheHeader, at, chunk.subarray(0, length));
    writeAll(into, frame, bytes);
    packedChunks.push({ at, length, frame: frame.length, packed });
    bytes += frame.length;
    reportProgress();
  }
  writeAll(into, writeHeader({ symcacheBytes: symcache.size, symcacheHeader, chunks: packedChunks }), 0);
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
