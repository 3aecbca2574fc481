import { UnreadableCapture } from "./unreadableCapture.ts";

const endBytes = 22;
const maxCommentBytes = 0xffff;
const entryBytes = 46;
const localBytes = 30;
/** In place of a size or offset that only the zip64 format can hold. */
const zip64 = 0xffffffff;
const [endSignature, entrySignature, localSignature] = [0x06054b50, 0x02014b50, 0x04034b50];

/**
 * The content of the only file in a zip file, as https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT describes it.
 * Throws an UnreadableCapture.
 */
export async function openOnlyFile(zip: Blob): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const tail = await view(zip, Math.max(0, zip.size - endBytes - maxCommentBytes), zip.size);
  let end = tail.byteLength - endBytes;
  while (end >= 0 && tail.getUint32(end, true) !== endSignature) end--;
  if (end < 0) throw damaged();
  const directoryAt = tail.getUint32(end + 16, true);
  const directoryBytes = tail.getUint32(end + 12, true);
  if (directoryAt === zip64 || directoryBytes === zip64) throw isZip64();
  const directory = await view(zip, directoryAt, directoryAt + directoryBytes);
  const files: number[] = [];
  for (let at = 0; at < directory.byteLength;) {
    if (at + entryBytes > directory.byteLength || directory.getUint32(at, true) !== entrySignature)
      throw damaged();
    const nameBytes = directory.getUint16(at + 28, true);
    const next =
      at + entryBytes + nameBytes + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    if (next > directory.byteLength) throw damaged();
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + entryBytes, nameBytes));
    // macOS adds the attributes of each file as a file in __MACOSX.
    if (!name.endsWith("/") && !name.startsWith("__MACOSX/")) files.push(at);
    at = next;
  }
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new UnreadableCapture(`This zip file has ${files.length} files. It must have one, with JSON.`);
  if ((directory.getUint16(file + 8, true) & 1) !== 0)
    throw new UnreadableCapture("This zip file is encrypted. Decrypt it first.");
  const localAt = directory.getUint32(file + 42, true);
  const bytes = directory.getUint32(file + 20, true);
  if (localAt === zip64 || bytes === zip64) throw isZip64();
  return await open(zip, directory.getUint16(file + 10, true), { localAt, bytes });
}

async function open(zip: Blob, method: number, { localAt, bytes }: { localAt: number; bytes: number }) {
  const local = await view(zip, localAt, localAt + localBytes);
  if (local.byteLength < localBytes || local.getUint32(0, true) !== localSignature) throw damaged();
  const start = localAt + localBytes + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + bytes > zip.size) throw damaged();
  const stored = zip.slice(start, start + bytes).stream();
  if (method === 0) return stored;
  if (method === 8) return stored.pipeThrough(new DecompressionStream("deflate-raw"));
  throw new UnreadableCapture("This zip file is compressed by an unusual method. Decompress it first.");
}

async function view(blob: Blob, start: number, end: number): Promise<DataView> {
  return new DataView(await blob.slice(start, end).arrayBuffer());
}

function isZip64(): UnreadableCapture {
  return new UnreadableCapture(
    "This zip file has the zip64 format. Decompress it first, or use the command line: tseliot symbolicate FILE.",
  );
}

function damaged(): UnreadableCapture {
  return new UnreadableCapture("This zip file is damaged or cut short. Download or export it again.");
}
