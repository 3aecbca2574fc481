import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable, Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { wantsContinue } from "./checkHeaders.ts";
import { HttpError } from "./httpError.ts";

const decoders = new Map<string, () => Transform>([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["deflate", createInflate],
  ["br", createBrotliDecompress],
  // 8 MiB, the largest window that RFC 9659 allows, and the least that must be taken.
  ["zstd", () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } })],
]);

/**
 * The request's body, decompressed, of which each piece is announced to `hold`. Throws what that throws, or an HttpError:
 * 415 for an unknown encoding, 413 over `maxBytes`.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  hold: (bytes: number) => void,
): Promise<Buffer<ArrayBuffer>> {
  const decoded = decode(request);
  if (decoded === request && Number(request.headers["content-length"]) > maxBytes) throw new HttpError(413);
  if (wantsContinue(request)) response.writeContinue();
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

function decode(request: IncomingMessage): Readable {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return request;
  const createDecoder = decoders.get(encoding);
  if (!createDecoder) throw new HttpError(415);
  const decoder = createDecoder();
  request.on("error", (error) => decoder.destroy(error));
  return request.pipe(decoder);
}
