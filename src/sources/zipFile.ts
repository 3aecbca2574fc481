import type { FileHandle } from "node:fs/promises";
import type { Transform } from "node:stream";
import { crc32, createInflateRaw, createZstdDecompress } from "node:zlib";
import { decode, pieceBytes } from "./decompress.ts";
import { DownloadError } from "./downloadError.ts";
import { readPieces } from "./localFile.ts";

export interface ZipEntry {
  name: string;
  method: number;
  isEncrypted: boolean;
  crc: number;
  compressedBytes: number;
  bytes: number;
  /** Of its local header in the file. */
  offset: number;
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, zip64End: 0x06064b50, zip64Locator: 0x07064b50 }; // prettier-ignore
const endBytes = 22;
const maxCommentBytes = 0xffff;
const zip64LocatorBytes = 20;
const zip64EndBytes = 56;
const centralBytes = 46;
const localBytes = 30;
/** In place of a size or an offset that zip64 has elsewhere. */
const inZip64 = 0xffffffff;

const decoders = new Map<number, () => Transform>([
  [8, () => createInflateRaw({ chunkSize: pieceBytes })],
  [93, () => createZstdDecompress({ chunkSize: pieceBytes })],
]);

/** The entries of a zip file of that size. Throws a DownloadError. */
export async function readZipDirectory(file: FileHandle, fileBytes: number): Promise<ZipEntry[]> {
  const { offset, bytes } = await findDirectory(file, fileBytes);
  if (offset + bytes > fileBytes) throw damaged();
  const directory = await readAt(file, offset, bytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; at < bytes;) {
    if (at + centralBytes > bytes || directory.readUInt32LE(at) !== signatures.central) throw damaged();
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(at + field),
    ) as [number, number, number];
    const extra = at + centralBytes + nameBytes;
    const end = extra + extraBytes + commentBytes;
    if (end > bytes) throw damaged();
    const large = zip64Numbers(directory.subarray(extra, extra + extraBytes));
    const number = (field: number) => {
      const small = directory.readUInt32LE(at + field);
      return small === inZip64 ? (large.shift() ?? small) : small;
    };
    entries.push({
      name: directory.toString("utf8", at + centralBytes, extra),
      method: directory.readUInt16LE(at + 10),
      isEncrypted: (directory.readUInt16LE(at + 8) & 1) !== 0,
      crc: directory.readUInt32LE(at + 16),
      // In the order in which zip64 has them.
      bytes: number(24),
      compressedBytes: number(20),
      offset: number(42),
    });
    at = end;
  }
  return entries;
}

/** The content of an entry. Throws a DownloadError. */
export async function* readZipEntry(
  file: FileHandle,
  { name, method, isEncrypted, crc, compressedBytes, bytes, offset }: ZipEntry,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const createDecoder = decoders.get(method);
  if (isEncrypted) throw new DownloadError("failed", `${name} is encrypted`);
  if (!createDecoder && method !== 0)
    throw new DownloadError("failed", `${name} is compressed by the unsupported method ${method}`);
  const header = await readAt(file, offset, localBytes);
  if (header.readUInt32LE() !== signatures.local) throw damaged();
  const start = offset + localBytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const stored =
    compressedBytes > 0 ? readPieces(file, signal, { start, end: start + compressedBytes - 1 }) : [];
  let [actualBytes, actualCrc] = [0, 0];
  for await (const piece of createDecoder ? decode(stored, { name: "zip", createDecoder }) : stored) {
    actualBytes += piece.length;
    actualCrc = crc32(piece, actualCrc);
    if (actualBytes > bytes) throw damaged();
    yield piece;
  }
  if (actualBytes !== bytes || actualCrc !== crc) throw damaged();
}

async function findDirectory(
  file: FileHandle,
  fileBytes: number,
): Promise<{ offset: number; bytes: number }> {
  const tailBytes = Math.min(fileBytes, endBytes + maxCommentBytes);
  const tailOffset = fileBytes - tailBytes;
  const tail = await readAt(file, tailOffset, tailBytes);
  for (let at = tailBytes - endBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== signatures.end || at + endBytes + tail.readUInt16LE(at + 20) !== tailBytes)
      continue;
    const zip64 = await findZip64End(file, tailOffset + at);
    return zip64 ?? { bytes: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  }
  throw new DownloadError("failed", "not a zip file, or it is truncated");
}

/** Of zip files with over 65,535 entries or 4 GB. */
async function findZip64End(file: FileHandle, endOffset: number) {
  const locatorOffset = endOffset - zip64LocatorBytes;
  if (locatorOffset < 0) return undefined;
  const locator = await readAt(file, locatorOffset, zip64LocatorBytes);
  if (locator.readUInt32LE() !== signatures.zip64Locator) return undefined;
  const end = await readAt(file, Number(locator.readBigUInt64LE(8)), zip64EndBytes);
  if (end.readUInt32LE() !== signatures.zip64End) throw damaged();
  return { bytes: Number(end.readBigUInt64LE(40)), offset: Number(end.readBigUInt64LE(48)) };
}

/** The sizes and offsets of an entry that are over 4 GB. */
function zip64Numbers(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) !== 1) at = end;
    else {
      const numbers = extra.subarray(at + 4, end);
      return Array.from({ length: Math.floor(numbers.length / 8) }, (_, index) =>
        Number(numbers.readBigUInt64LE(8 * index)),
      );
    }
  }
  return [];
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file
    .read({ buffer: Buffer.alloc(bytes), position: offset })
    .catch((cause: unknown) => {
      throw new DownloadError("failed", `can't read the zip file: ${String(cause)}`, { cause });
    });
  if (bytesRead < bytes) throw damaged();
  return buffer;
}

function damaged(): DownloadError {
  return new DownloadError("failed", "the zip file is damaged");
}
