import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { WasmInstance } from "../symcache/wasmInstance.ts";
import { chunkBytes } from "./packedHeader.ts";

/** What is found of short matches and at higher levels takes longer to find, and to undo, than it saves. */
const level = 1;
const minMatch = 7;
/** log2 of the bytes that a decompressor must hold: a frame's are at most two chunks. */
const windowLog = Math.log2(2 * chunkBytes);

/** The frame is none, or holds something else. */
export class ChunkDamaged extends Error {
  override name = "ChunkDamaged";
}

/** Chunks of symcache files as zstd frames, and back. */
export class Chunks {
  readonly #instance: WasmInstance;

  constructor(wasm: WebAssembly.Module) {
    this.#instance = new WasmInstance(wasm);
  }

  /** The chunk that begins at `at` as a frame, and how many bytes that holds. */
  pack(symcacheHeader: Uint8Array, at: number, chunk: Uint8Array): { frame: Uint8Array; packed: number } {
    this.#instance.putInInbox(symcacheHeader, chunk);
    const packed = this.#instance.call(({ chunk_pack }) =>
      chunk_pack(at, symcacheHeader.length, chunk.length),
    );
    const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_minMatch]: minMatch };
    return { frame: zstdCompressSync(this.#result(packed), { params }), packed };
  }

  /**
   * The chunk of `length` bytes that a frame holds, and the checksums of its pages: both are good until the next call. Throws a
   * ChunkDamaged.
   */
  unpack(
    symcacheHeader: Uint8Array,
    { at, length, frame, packed }: { at: number; length: number; frame: Uint8Array; packed: number },
  ): { chunk: Uint8Array; checksums: Uint8Array<ArrayBuffer> } {
    const bytes = decompress(frame, packed);
    this.#instance.putInInbox(symcacheHeader, bytes);
    const end = this.#instance.call(({ chunk_unpack }) =>
      chunk_unpack(at, symcacheHeader.length, bytes.length, length),
    );
    if (end === 0) throw new ChunkDamaged(this.#instance.message());
    const result = this.#result(end);
    return { chunk: result.subarray(0, length), checksums: result.slice(length) };
  }

  #result(length: number): Uint8Array<ArrayBuffer> {
    return this.#instance.call(({ output_at }) => this.#instance.bytes(output_at() >>> 0, length));
  }
}

function decompress(frame: Uint8Array, bytes: number): Uint8Array {
  const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
  let held;
  try {
    // In one piece, which takes half the time of many small ones.
    held = zstdDecompressSync(frame, { params, maxOutputLength: bytes, chunkSize: Math.max(bytes, 64) });
  } catch (error) {
    throw new ChunkDamaged(`a frame that can't be decompressed: ${String(error)}`, { cause: error });
  }
  if (held.length !== bytes) throw new ChunkDamaged("a frame that holds less than its header says");
  return held;
}
