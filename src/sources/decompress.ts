import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { DownloadError } from "./downloadError.ts";

/** Node's default of 16 KiB makes decompression twice as slow. */
export const pieceBytes = 256 * 1024;

/** Object stores compress files that are compressed already. */
const maxLayers = 2;
const signatureBytes = 4;

type Pieces = AsyncIterable<Uint8Array>;
type AnyPieces = Pieces | Iterable<Uint8Array>;

/**
 * Decompresses gzip, zlib and zstd, which it recognizes by their first bytes. What is not compressed passes through `plain`.
 * Throws a DownloadError if compressed data is truncated or damaged.
 */
export async function* decompress(
  pieces: Pieces,
  plain: (text: Pieces) => Pieces = (text) => text,
  layers = maxLayers,
): Pieces {
  const { start, all } = await readStart(pieces, ({ length }) => length >= signatureBytes);
  const format = layers > 0 ? formats.find(({ hasSignature }) => hasSignature(start)) : undefined;
  yield* format ? decompress(decode(all, format), undefined, layers - 1) : plain(all);
}

interface Format {
  name: string;
  hasSignature: (start: Uint8Array) => boolean;
  createDecoder: () => Transform;
}

const formats: Format[] = [
  {
    name: "gzip",
    hasSignature: ([first, second]) => first === 0x1f && second === 0x8b,
    createDecoder: () => createGunzip({ chunkSize: pieceBytes }),
  },
  {
    name: "zlib",
    // The low half of the first byte is the method, deflate, and the high half a window of at most 32 KiB.
    hasSignature: ([first = 0, second = 0]) =>
      (first & 0x0f) === 8 && first >> 4 <= 7 && ((first << 8) | second) % 31 === 0,
    createDecoder: () => createInflate({ chunkSize: pieceBytes }),
  },
  {
    name: "zstd",
    hasSignature: (start) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd]).equals(start.subarray(0, 4)),
    createDecoder: () => createZstdDecompress({ chunkSize: pieceBytes }),
  },
];

/** Decompresses by a decoder of Node. Throws a DownloadError. */
export async function* decode(
  pieces: AnyPieces,
  { name, createDecoder }: Pick<Format, "name" | "createDecoder">,
): Pieces {
  const decoder = createDecoder();
  // Errors reach the loop below through the stream.
  pipeline(Readable.from(pieces, { objectMode: false }), decoder, () => {});
  try {
    yield* decoder;
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    const { message } = error as Error;
    throw new DownloadError("failed", `bad ${name}: ${message}`, {
      cause: error,
      isTransient: true,
      isOfBody: true,
    });
  }
}

/** Joins the first pieces until `isComplete`: a server may send bytes one by one. They are the first piece of `all`, too. */
export async function readStart(
  pieces: Pieces,
  isComplete: (start: Uint8Array) => boolean,
): Promise<{ start: Uint8Array; all: Pieces }> {
  const iterator = pieces[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array();
  while (!isComplete(start)) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return { start, all: prepend(start, iterator) };
}

async function* prepend(start: Uint8Array, rest: AsyncIterator<Uint8Array>): Pieces {
  try {
    if (start.length > 0) yield start;
    for (let next; (next = await rest.next()).done !== true;) yield next.value;
  } finally {
    await rest.return?.();
  }
}
