import { SymcacheDamaged } from "./symcache.ts";
import type { ReadAt } from "./wasmInstance.ts";

/** Bytes of Symbolic's header, and of what stands at the end of our trailer; `crates/symcache` describes both. */
const headerBytes = 80;
const footerBytes = 40;
const magic = "SYMC";
const trailerMagic = "ELIOTS01";
/** Bytes of a file's, a function's, a source location's and a range's record. */
const recordBytes = { file: 24, function: 16, sourceLocation: 16, range: 4 };

/** What a symcache file says of itself. Nothing of it is checked yet. */
export interface SymcacheHeader {
  /** Of Symbolic's format. */
  version: number;
  /** What it was converted for; `Symcache.open()` wants to know. */
  debugFilename: string;
  debugId: string;
  /** Numbers of records, and bytes of the strings. */
  files: number;
  functions: number;
  sourceLocations: number;
  ranges: number;
  stringBytes: number;
  /** Bytes before the trailer. */
  payloadBytes: number;
  /** Where the first and the last range begin, relative to the module; undefined where there is none. */
  firstAddress: number | undefined;
  lastAddress: number | undefined;
}

/** Whether a file is a symcache at all. */
export function isSymcache(readAt: ReadAt): boolean {
  return read(readAt, 0, magic.length)?.toString("latin1") === magic;
}

/** Reads the header and the trailer of a symcache file of `size` bytes. Throws a SymcacheDamaged where they make no sense. */
export function readSymcacheHeader(readAt: ReadAt, size: number): SymcacheHeader {
  const header = readExactly(readAt, 0, headerBytes);
  const footer = readExactly(readAt, size - footerBytes, footerBytes);
  if (footer.toString("latin1", 32) !== trailerMagic)
    throw new SymcacheDamaged("no trailer, or another version's");
  const [files = 0, functions = 0, sourceLocations = 0, ranges = 0, stringBytes = 0] = [
    11, 12, 13, 14, 15,
  ].map((number) => header.readUInt32LE(4 * number));
  const payloadBytes = Number(footer.readBigUInt64LE(0));
  const [filenameBytes = 0, idBytes = 0, nameBytes = 0] = [12, 16, 20].map((at) => footer.readUInt32LE(at));
  const namesBytes = padded(filenameBytes + idBytes + nameBytes);
  const names = readExactly(readAt, size - footerBytes - namesBytes, filenameBytes + idBytes);

  const functionsAt = padded(headerBytes + recordBytes.file * files);
  const locationsAt = padded(functionsAt + recordBytes.function * functions);
  const rangesAt = padded(locationsAt + recordBytes.sourceLocation * sourceLocations);
  const addressOf = (range: number) =>
    ranges === 0
      ? undefined
      : readExactly(readAt, rangesAt + recordBytes.range * range, recordBytes.range).readUInt32LE();
  return {
    version: header.readUInt32LE(4),
    debugFilename: names.toString("utf8", 0, filenameBytes),
    debugId: names.toString("utf8", filenameBytes),
    files,
    functions,
    sourceLocations,
    ranges,
    stringBytes,
    payloadBytes,
    firstAddress: addressOf(0),
    lastAddress: addressOf(ranges - 1),
  };
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function readExactly(readAt: ReadAt, offset: number, length: number): Buffer {
  const bytes = read(readAt, offset, length);
  if (!bytes) throw new SymcacheDamaged("too short, or with impossible lengths");
  return bytes;
}

function read(readAt: ReadAt, offset: number, length: number): Buffer | undefined {
  // A damaged length must not take memory that nobody has.
  if (offset < 0 || length > 2 ** 22) return undefined;
  const bytes = Buffer.alloc(length);
  return readAt(bytes, offset) === length ? bytes : undefined;
}
