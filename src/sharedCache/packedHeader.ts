import { crc32 } from "node:zlib";
import type { BodyReader } from "./bodyReader.ts";
import { BadObject } from "./sharedCacheFault.ts";

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
const fixedBytes = 16 + symcacheHeaderBytes;

export interface Chunk {
  /** Position and length in the symcache file. */
  at: number;
  length: number;
  /** Position and size of its zstd frame in the object. */
  frameAt: number;
  frameBytes: number;
  /** Size of the packed chunk that the frame decompresses to. */
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

export function writeHeader(
  symcacheBytes: number,
  symcacheHeader: Uint8Array,
  chunks: Pick<Chunk, "frameBytes" | "packed">[],
): Uint8Array {
  const header = Buffer.alloc(headerBytes(symcacheBytes));
  header.write(magic, "latin1");
  header.writeBigUInt64LE(BigInt(symcacheBytes), 8);
  header.set(symcacheHeader, 16);
  for (const [index, { frameBytes, packed }] of chunks.entries()) {
    header.writeUInt32LE(frameBytes, fixedBytes + entryBytes * index);
    header.writeUInt32LE(packed, fixedBytes + entryBytes * index + 4);
  }
  header.writeUInt32LE(crc32(header.subarray(0, -crcBytes)), header.length - crcBytes);
  return header;
}

/** Throws a BadObject if the header is damaged, doesn't match the object's size, or the symcache is over `maxBytes`. */
export async function readHeader(
  reader: BodyReader,
  objectBytes: number,
  maxBytes: number,
): Promise<PackedHeader> {
  if (objectBytes < fixedBytes) throw new BadObject("the object is shorter than a header");
  const start = await reader.read(fixedBytes);
  if (start.toString("latin1", 0, magic.length) !== magic)
    throw new BadObject("not a packed symcache, or of another version");
  const symcacheBytes = Number(start.readBigUInt64LE(8));
  if (symcacheBytes > maxBytes)
    throw new BadObject(`the symcache has ${symcacheBytes} bytes, more than the disk cache may hold`);
  if (symcacheBytes < symcacheHeaderBytes)
    throw new BadObject(`the symcache has only ${symcacheBytes} bytes`);
  const length = headerBytes(symcacheBytes);
  if (length > objectBytes) throw new BadObject("the header doesn't match the size of the object");
  const header = Buffer.concat([start, await reader.read(length - fixedBytes)]);
  if (crc32(header.subarray(0, -crcBytes)) !== header.readUInt32LE(length - crcBytes))
    throw new BadObject("the header has a wrong checksum");
  const chunks: Chunk[] = [];
  let frameAt = length;
  for (let at = 0; at < symcacheBytes; at += chunkBytes) {
    const entry = fixedBytes + entryBytes * chunks.length;
    const [frameBytes, packed] = [header.readUInt32LE(entry), header.readUInt32LE(entry + 4)];
    // No real chunk is larger. The limit bounds the memory that a forged header can make us allocate.
    if (frameBytes > 2 * chunkBytes || packed > 2 * chunkBytes)
      throw new BadObject("the header has impossible lengths");
    chunks.push({ at, length: Math.min(chunkBytes, symcacheBytes - at), frameAt, frameBytes, packed });
    frameAt += frameBytes;
  }
  if (frameAt !== objectBytes) throw new BadObject("the header doesn't match the size of the object");
  return { symcacheBytes, symcacheHeader: header.subarray(16, fixedBytes), chunks };
}
