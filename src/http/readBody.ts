import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable, Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { invalidJson } from "../codec/parseJson.ts";
import { wantsContinue } from "./checkHeaders.ts";
import { HttpError } from "./httpError.ts";

const chunkSize = 64 * 1024;
const decoders = new Map<string, () => Transform>([
  ["gzip", () => createGunzip({ chunkSize })],
  ["x-gzip", () => createGunzip({ chunkSize })],
  ["deflate", () => createInflate({ chunkSize })],
  ["br", () => createBrotliDecompress({ chunkSize })],
  // 8 MiB, the largest window that RFC 9659 allows, and the least that must be taken.
  ["zstd", () => createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 23 } })],
]);

/** Pieces that a body may come in whatever their size, and the bytes that they must have on average if there are more. */
const fewPieces = 10_000;
const leastPiece = 64;

export interface BodyLimits {
  /** Most bytes of a body, as it is sent and decompressed. */
  maxBytes: number;
  /** Is told how many bytes each piece has, compressed ones, too. What it throws ends the reading. */
  hold: (bytes: number) => void;
}

/**
 * The request's body, decompressed; all of a buffer, or the first part of it. Throws what `hold` throws, a RequestError for one that can't be decompressed, or an
 * HttpError: 415 for an unknown encoding, 413 for a body that is too large.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits,
): Promise<Buffer<ArrayBuffer>> {
  const { "content-length": length } = request.headers;
  const decoder = createDecoder(request);
  if (Number(length) > limits.maxBytes) throw new HttpError(413);
  if (wantsContinue(request)) response.writeContinue();
  try {
    const body = await collect(request, Math.min(Number(length ?? chunkSize), chunkSize), limits);
    if (!decoder) return body;
    // All at once: many small pieces would each take their time.
    decoder.end(body);
    return await collect(decoder, chunkSize, limits);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw invalidJson();
  } finally {
    decoder?.destroy();
  }
}

/** The request's body, decompressed, as it comes. Throws an HttpError 415 for an unknown encoding. */
export function streamBody(request: IncomingMessage, response: ServerResponse): Readable {
  const decoder = createDecoder(request);
  if (wantsContinue(request)) response.writeContinue();
  if (!decoder) return request;
  request.on("error", (error) => decoder.destroy(error));
  return request.pipe(decoder);
}

function createDecoder({ headers }: IncomingMessage): Transform | undefined {
  const encoding = (headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return undefined;
  const create = decoders.get(encoding);
  if (!create) throw new HttpError(415);
  return create();
}

/** What a stream has, in a buffer that begins with so many bytes and grows: a list of pieces could take a hundred times as much. */
async function collect(
  stream: Readable,
  room: number,
  { maxBytes, hold }: BodyLimits,
): Promise<Buffer<ArrayBuffer>> {
  let body = Buffer.allocUnsafeSlow(room);
  let bytes = 0;
  let pieces = 0;
  // Not destroyed when the loop is left: the answer still goes out on the request's connection.
  for await (const piece of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const before = bytes;
    bytes += piece.length;
    if (bytes > maxBytes) throw new HttpError(413);
    if (++pieces > fewPieces && bytes < pieces * leastPiece)
      throw new HttpError(400, "the body comes in too many pieces");
    hold(piece.length);
    if (bytes > body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * body.length));
      body.copy(larger, 0, 0, before);
      body = larger;
    }
    piece.copy(body, before);
  }
  return body.subarray(0, bytes);
}
