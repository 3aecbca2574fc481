import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { SymcacheDamaged } from "../symcache/symcache.ts";
import { WasmInstance } from "../symcache/wasmInstance.ts";
import { chunkBytes } from "./packedHeader.ts";

/** Higher levels and shorter matches cost more time than the bytes that they save. */
const compressParams = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_minMatch]: 7 };
/** Limits the memory of a decompression to two chunks. */
const decompressParams = { [constants.ZSTD_d_windowLogMax]: Math.log2(2 * chunkBytes) };

/** A chunk of `length` bytes at position `at` of a symcache file, as a zstd frame. */
export interface PackedChunk {
  at: number;
  length: number;
  frame: Uint8Array;
  /** Size of the frame's content. */
  packed: number;
}

/** Packs chunks of symcache files into zstd frames, and back. */
export class Chunks {
  readonly #instance: WasmInstance;

  constructor(wasm: WebAssembly.Module) {
    this.#instance = new WasmInstance(wasm);
  }

  pack(symcacheHeader: Uint8Array, at: number, chunk: Uint8Array): Pick<PackedChunk, "frame" | "packed"> {
    this.#instance.putInInbox(symcacheHeader, chunk);
    const packed = this.#instance.call(({ chunk_pack }) =>
      chunk_pack(at, symcacheHeader.length, chunk.length),
    );
    return { frame: zstdCompressSync(this.#result(packed), { params: compressParams }), packed };
  }

  /** The chunk and the checksums of its pages, both valid until the next call. Throws a SymcacheDamaged. */
  unpack(
    symcacheHeader: Uint8Array,
    { at, length, frame, packed }: PackedChunk,
  ): { chunk: Uint8Array; checksums: Uint8Array<ArrayBuffer> } {
    const bytes = decompress(frame, packed);
    this.#instance.putInInbox(symcacheHeader, bytes);
    const end = this.#instance.call(({ chunk_unpack }) =>
      chunk_unpack(at, symcacheHeader.length, bytes.length, length),
    );
    if (end === 0) throw new SymcacheDamaged(this.#instance.message());
    const result = this.#result(end);
    return { chunk: result.subarray(0, length), checksums: result.slice(length) };
  }

  #result(length: number): Uint8Array<ArrayBuffer> {
    return this.#instance.call(({ output_at }) => this.#instance.bytes(output_at() >>> 0, length));
  }
}

function decompress(frame: Uint8Array, bytes: number): Uint8Array {
  let content;
  try {
    // One output buffer takes half the time of many small ones.
    const chunkSize = Math.max(bytes, 64);
    content = zstdDecompressSync(frame, { params: decompressParams, maxOutputLength: bytes, chunkSize });
  } catch (error) {
    throw new SymcacheDamaged(`a frame can't be decompressed: ${String(error)}`, { cause: error });
  }
  if (content.length !== bytes) throw new SymcacheDamaged("a frame is shorter than the header says");
  return content;
}
