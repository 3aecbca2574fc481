import { crc32 } from "node:zlib";
import { badObject } from "./sharedCacheFault.ts";

/**
 * A packed symcache file is a header and zstd frames. All numbers are little-endian.
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `ELIOTP01`; the last two are the version of this layout |
 * | 8 | bytes of the symcache file |
 * | 80 | its first bytes, by which chunks are unpacked; zero bytes behind a shorter one |
 * | 8 × chunks | bytes of its frame, and of what that holds: a chunk of 4 MiB, the last one shorter, as `crates/symcache/src/chunk.rs` packs it |
 * | 4 | CRC-32 of the header up to here |
 */
const magic = "ELIOTP01";
/** As the crate has it. */
export const chunkBytes = 4 * 1024 * 1024;
export const symcacheHeaderBytes = 80;
const chunksAt = 16 + symcacheHeaderBytes;
const entryBytes = 8;
const crcBytes = 4;

/** Bytes by which it is known how long the header is. */
export const fixedBytes = chunksAt;

export interface Chunk {
  /** Where it is in the symcache file, and how long. */
  at: number;
  length: number;
  /** Bytes of its frame, and of what that holds. */
  frame: number;
  packed: number;
}

export interface PackedHeader {
  symcacheBytes: number;
  symcacheHeader: Uint8Array;
  chunks: Chunk[];
}

/** Bytes of the header of a packed symcache file of so many bytes. */
export function headerBytes(symcacheBytes: number): number {
  return chunksAt + entryBytes * Math.ceil(symcacheBytes / chunkBytes) + crcBytes;
}

export function writeHeader({ symcacheBytes, symcacheHeader, chunks }: PackedHeader): Uint8Array {
  const header = Buffer.alloc(headerBytes(symcacheBytes));
  header.write(magic, "latin1");
  header.writeBigUInt64LE(BigInt(symcacheBytes), 8);
  header.set(symcacheHeader, 16);
  for (const [number, { frame, packed }] of chunks.entries()) {
    header.writeUInt32LE(frame, chunksAt + entryBytes * number);
    header.writeUInt32LE(packed, chunksAt + entryBytes * number + 4);
  }
  header.writeUInt32LE(crc32(header.subarray(0, -crcBytes)), header.length - crcBytes);
  return header;
}

/** The size of the symcache file that a header begins with these bytes for. Throws a SharedCacheFault for one over `mostBytes`. */
export function readSymcacheBytes(start: Buffer, mostBytes: number): number {
  if (start.toString("latin1", 0, magic.length) !== magic)
    throw badObject("no packed symcache, or another version's");
  const bytes = Number(start.readBigUInt64LE(8));
  if (bytes > mostBytes) throw badObject(`a symcache of ${bytes} bytes, more than the cache folder may hold`);
  if (bytes < symcacheHeaderBytes) throw badObject(`a symcache of ${bytes} bytes`);
  return bytes;
}

/** Reads the header of an object of `objectBytes`. Throws a SharedCacheFault where it isn't sound. */
export function readHeader(header: Buffer, objectBytes: number): PackedHeader {
  if (crc32(header.subarray(0, -crcBytes)) !== header.readUInt32LE(header.length - crcBytes))
    throw badObject("a header with a wrong checksum");
  const symcacheBytes = readSymcacheBytes(header, Infinity);
  const chunks: Chunk[] = [];
  let end = header.length;
  for (let at = 0; at < symcacheBytes; at += chunkBytes) {
    const entry = chunksAt + entryBytes * chunks.length;
    const [frame, packed] = [header.readUInt32LE(entry), header.readUInt32LE(entry + 4)];
    // No chunk needs as many: what a lying header can make us take is bounded.
    if (frame > 2 * chunkBytes || packed > 2 * chunkBytes)
      throw badObject("a header with impossible lengths");
    chunks.push({ at, length: Math.min(chunkBytes, symcacheBytes - at), frame, packed });
    end += frame;
  }
  if (end !== objectBytes) throw badObject("a header that doesn't fit its object");
  return { symcacheBytes, symcacheHeader: header.subarray(16, chunksAt), chunks };
}
