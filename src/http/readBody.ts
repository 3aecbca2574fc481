import type { IncomingMessage } from "node:http";
import type { Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { HttpError } from "./httpError.ts";

const decoders = new Map<string, () => Transform>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  ["zstd", createZstdDecompress],
]);

/** Bytes of a body that is read to its end also where it isn't wanted, so that the connection can be used again. */
const shortBody = 1_000_000;

/**
 * The request's body, decompressed, of which each piece is announced to `hold`. Throws what that throws, or an HttpError:
 * 415 for an unknown encoding, 413 over `maxBytes`.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<Buffer> {
  const decoded = decodeBody(request);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    // Not destroyed when the loop is left: the answer still goes out on the request's connection.
    for await (const piece of decoded.iterator({ destroyOnReturn: false })) {
      bytes += (piece as Buffer).length;
      if (bytes > maxBytes) throw new HttpError(413);
      hold((piece as Buffer).length);
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    request.unpipe();
    if (decoded !== request) decoded.destroy();
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "Payload is not valid JSON", "bad_json");
  }
  return Buffer.concat(pieces, bytes);
}

/** Lets a body that isn't wanted go by where it is short. */
export async function skipShortBody(request: IncomingMessage): Promise<void> {
  const length = Number(request.headers["content-length"] ?? Infinity);
  if (request.destroyed || length > shortBody) return;
  // Not finished(), which waits for the answer, too.
  await new Promise((resolve) => request.once("end", resolve).once("close", resolve).resume());
}

/** The body, decompressed as it comes. Throws an HttpError 415 for an unknown encoding. */
export function decodeBody(request: IncomingMessage): Readable {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return request;
  const createDecoder = decoders.get(encoding);
  if (!createDecoder) throw new HttpError(415);
  const decoder = createDecoder();
  request.on("error", (error) => decoder.destroy(error));
  return request.pipe(decoder);
}
