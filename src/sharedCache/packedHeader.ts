import { crc32 } from "node:zlib";
import { badObject } from "./sharedCacheFault.ts";

/**
 * A packed symcache is a header followed by zstd frames. Integers are little-endian.
 *
 * | bytes | content |
 * |---|---|
 * | 8 | `ELIOTP01`; the last two digits are the format version |
 * | 8 | size of the symcache file |
 * | 80 | its first bytes, needed to unpack chunks; zero-padded |
 * | 8 × chunks | size of the frame and of the packed chunk in it: `crates/symcache/src/chunk.rs` packs 4 MiB at a time |
 * | 4 | CRC-32 of the header up to here |
 */
const magic = "ELIOTP01";
/** Both as in the crate. */
export const chunkBytes = 4 * 1024 * 1024;
export const symcacheHeaderBytes = 80;
const entryBytes = 8;
const crcBytes = 4;
/** The start of the header, which gives its length. */
export const fixedBytes = 16 + symcacheHeaderBytes;

export interface Chunk {
  /** Position and length in the symcache file. */
  at: number;
  length: number;
  /** Size of its zstd frame, and of the packed chunk that the frame decompresses to. */
  frame: number;
  packed: number;
}

export interface PackedHeader {
  symcacheBytes: number;
  symcacheHeader: Uint8Array;
  chunks: Chunk[];
}

export function headerBytes(symcacheBytes: number): number {
  return fixedBytes + entryBytes * Math.ceil(symcacheBytes / chunkBytes) + crcBytes;
}

export function writeHeader({ symcacheBytes, symcacheHeader, chunks }: PackedHeader): Uint8Array {
  const header = Buffer.alloc(headerBytes(symcacheBytes));
  header.write(magic, "latin1");
  header.writeBigUInt64LE(BigInt(symcacheBytes), 8);
  header.set(symcacheHeader, 16);
  for (const [index, { frame, packed }] of chunks.entries()) {
    header.writeUInt32LE(frame, fixedBytes + entryBytes * index);
    header.writeUInt32LE(packed, fixedBytes + entryBytes * index + 4);
  }
  header.writeUInt32LE(crc32(header.subarray(0, -crcBytes)), header.length - crcBytes);
  return header;
}

/** The size of the symcache file, from the first bytes of the header. Throws a SharedCacheFault if it is over `maxBytes`. */
export function readSymcacheBytes(start: Buffer, maxBytes: number): number {
  if (start.toString("latin1", 0, magic.length) !== magic)
    throw badObject("not a packed symcache, or of another version");
  const bytes = Number(start.readBigUInt64LE(8));
  if (bytes > maxBytes) throw badObject(`the symcache has ${bytes} bytes, more than the disk cache may hold`);
  if (bytes < symcacheHeaderBytes) throw badObject(`the symcache has only ${bytes} bytes`);
  return bytes;
}

/** Throws a SharedCacheFault if the header is damaged or doesn't match the size of the object. */
export function readHeader(header: Buffer, objectBytes: number): PackedHeader {
  if (crc32(header.subarray(0, -crcBytes)) !== header.readUInt32LE(header.length - crcBytes))
    throw badObject("the header has a wrong checksum");
  const symcacheBytes = readSymcacheBytes(header, Infinity);
  const chunks: Chunk[] = [];
  let end = header.length;
  for (let at = 0; at < symcacheBytes; at += chunkBytes) {
    const entry = fixedBytes + entryBytes * chunks.length;
    const [frame, packed] = [header.readUInt32LE(entry), header.readUInt32LE(entry + 4)];
    // No real chunk is larger. The limit bounds the memory that a forged header can make us allocate.
    if (frame > 2 * chunkBytes || packed > 2 * chunkBytes)
      throw badObject("the header has impossible lengths");
    chunks.push({ at, length: Math.min(chunkBytes, symcacheBytes - at), frame, packed });
    end += frame;
  }
  if (end !== objectBytes) throw badObject("the header doesn't match the size of the object");
  return { symcacheBytes, symcacheHeader: header.subarray(16, fixedBytes), chunks };
}
