/** Entry of the threads that pack symcache files for the shared cache, and unpack them. */
import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { Symcache, SymcacheDamaged } from "../symcache/symcache.ts";
import { openFile } from "../symcache/symcacheFile.ts";
import { WasmInstance } from "../symcache/wasmInstance.ts";
import { answerAsks, showLife } from "../threads/answerAsks.ts";
import { giveWay } from "../threads/lowerPriority.ts";
import { ChunkDamaged, Chunks } from "./chunks.ts";
import { chunkBytes, headerBytes, symcacheHeaderBytes, writeHeader, type Chunk } from "./packedHeader.ts";
import type { Damage, DiskFault, PackProtocol, PackThreadData } from "./packMessages.ts";

const { wasm } = workerData as PackThreadData;
const chunks = new Chunks(wasm);
const pieceBytes = 1024 * 1024;

giveWay();
answerAsks<PackProtocol>({
  pack({ path, file }) {
    try {
      return [pack(path, file)];
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [undefined];
      throw error;
    }
  },
  unpack: ({ file, symcacheHeader, frame, packed, at, length }) =>
    faults(() => {
      const ask = { at, length, frame: new Uint8Array(frame), packed };
      const { chunk, checksums } = chunks.unpack(symcacheHeader, ask);
      writeAll(file, chunk, at);
      return [{ checksums }, [checksums.buffer]];
    }),
  check: ({ path, module, checksums }) => faults(() => [check(path, module, checksums)]),
});

function faults<Answer>(work: () => Answer): Answer | [Damage | DiskFault] {
  try {
    return work();
  } catch (error) {
    if (error instanceof ChunkDamaged || error instanceof SymcacheDamaged) return [{ damage: error.message }];
    if (error instanceof Error && "syscall" in error) return [{ diskFault: error.message }];
    throw error;
  }
}

function pack(path: string, into: number): { bytes: number; sha256: string } {
  using symcache = openFile(path);
  const symcacheHeader = new Uint8Array(symcacheHeaderBytes);
  symcache.readAt(symcacheHeader, 0);
  const packed: Chunk[] = [];
  let bytes = headerBytes(symcache.size);
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < symcache.size; at += chunkBytes) {
    const length = symcache.readAt(chunk, at);
    const { frame, packed: held } = chunks.pack(symcacheHeader, at, chunk.subarray(0, length));
    writeAll(into, frame, bytes);
    packed.push({ at, length, frame: frame.length, packed: held });
    bytes += frame.length;
    showLife();
  }
  writeAll(into, writeHeader({ symcacheBytes: symcache.size, symcacheHeader, chunks: packed }), 0);
  return { bytes, sha256: sha256(into, bytes) };
}

function sha256(file: number, bytes: number): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes;) {
    const read = readSync(file, piece, 0, Math.min(pieceBytes, bytes - at), at);
    if (read === 0) throw new Error("the packed file was cut");
    hash.update(piece.subarray(0, read));
    at += read;
  }
  return hash.digest("hex");
}

function check(
  path: string,
  module: Parameters<PackProtocol["check"]>[0]["module"],
  checksums: Uint8Array,
): Damage | undefined {
  using file = openFile(path);
  using symcache = Symcache.open(new WasmInstance(wasm), file.readAt, file.size, module);
  return Buffer.compare(symcache.checksums, checksums) === 0
    ? undefined
    : { damage: "pages with wrong checksums" };
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
}
