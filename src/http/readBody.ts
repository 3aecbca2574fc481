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
import { HttpError } from "./httpError.ts";
import { RequestError } from "../codec/requestError.ts";
import type { MemoryShare, Reservation } from "./admission.ts";

const chunkSize = 64 * 1024;
const decoders = new Map<string, () => Transform>([
  ["gzip", () => createGunzip({ chunkSize })],
  ["x-gzip", () => createGunzip({ chunkSize })],
  ["deflate", () => createInflate({ chunkSize })],
  ["br", () => createBrotliDecompress({ chunkSize })],
  // 8 MiB is the largest window that RFC 9659 allows, and the smallest that a decoder must support.
  ["zstd", () => createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 23 } })],
]);

/** A body of more pieces than this must have a minimum average piece length, because each piece costs time. */
const maxShortPieces = 10_000;
const minAverageBytes = 64;

/** When a client that still sends is taken to have stopped, and when its connection is closed at the latest. */
const silenceMs = 1000;
const maxDrainMs = 5000;

export interface BodyLimits {
  /** Applies to the body as sent and as decompressed. */
  maxBytes: number;
  reservation: Reservation;
  /** What the returned body is charged to. */
  memory: MemoryShare;
}

/**
 * Reads and decompresses a request's body; it is the start of a buffer of its own. Throws a RequestRefused if there is not
 * enough memory, a RequestError for a body that cannot be decompressed, or an HttpError for an unknown encoding, a body that
 * is too large or a client that stalls.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, reservation, memory }: BodyLimits,
): Promise<Buffer<ArrayBuffer>> {
  const { "content-length": length } = request.headers;
  const decoder = createDecoder(request);
  if (Number(length) > maxBytes) throw new HttpError(413);
  if (wantsContinue(request)) response.writeContinue();
  try {
    const initialBytes = Math.min(Number(length ?? chunkSize), chunkSize);
    const body = await collect(receive(request, reservation), { initialBytes, maxBytes, memory });
    if (!decoder) return body;
    // All at once, because many small pieces would each take their time.
    decoder.end(body);
    const decompressed = await collect(decoder, { initialBytes: chunkSize, maxBytes, memory });
    memory.release(body.length);
    return decompressed;
  } catch (error) {
    if (error instanceof HttpError || error instanceof RequestError) throw error;
    throw invalidJson();
  } finally {
    decoder?.destroy();
  }
}

/** A request's body, decompressed while it is received. Throws an HttpError for an unknown encoding. */
export function streamBody(request: IncomingMessage, response: ServerResponse): Readable {
  const decoder = createDecoder(request);
  if (wantsContinue(request)) response.writeContinue();
  if (!decoder) return request;
  request.on("error", (error) => decoder.destroy(error));
  return request.pipe(decoder);
}

/**
 * Discards the rest of a body until the client has sent it, or stops sending for a while. Closing the connection of a client
 * that still sends would make the client's system drop the response.
 */
export async function drainRequest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.closed) return;
  const ended = Promise.withResolvers<void>();
  const silence = setTimeout(ended.resolve, silenceMs);
  const deadline = setTimeout(ended.resolve, maxDrainMs);
  request.unpipe();
  // The listener of an iterator that was reading the body.
  request.removeAllListeners("readable");
  request.once("close", ended.resolve).on("data", () => silence.refresh());
  await ended.promise;
  clearTimeout(silence);
  clearTimeout(deadline);
}

/** Whether the client waits for `100 Continue` before it sends its body. */
export function wantsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === "1.1" && headers.expect?.trim().toLowerCase() === "100-continue";
}

function createDecoder({ headers }: IncomingMessage): Transform | undefined {
  const encoding = (headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return undefined;
  const create = decoders.get(encoding);
  if (!create) throw new HttpError(415);
  return create();
}

/** The pieces of a request's body. Throws an HttpError if the client stalls. */
export async function* receive(body: Readable, reservation: Reservation): AsyncGenerator<Buffer, undefined> {
  // The stream is not destroyed at the end, because the response is sent on the request's connection.
  const pieces = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  for (;;) {
    const { done, value: piece } = await reservation.waitForClient(pieces.next());
    if (done) return;
    reservation.progressed(piece.length);
    yield piece;
  }
}

/** Reads a stream into one growing buffer. A list of pieces could take a hundred times as much memory. */
async function collect(
  pieces: AsyncIterable<Buffer>,
  { initialBytes, maxBytes, memory }: { initialBytes: number; maxBytes: number; memory: MemoryShare },
): Promise<Buffer<ArrayBuffer>> {
  let body = Buffer.allocUnsafeSlow(initialBytes);
  let bytes = 0;
  let count = 0;
  for await (const piece of pieces) {
    const before = bytes;
    bytes += piece.length;
    if (bytes > maxBytes) throw new HttpError(413);
    if (++count > maxShortPieces && bytes < count * minAverageBytes)
      throw new RequestError("the body is split into too many small chunks");
    memory.reserve(piece.length);
    if (bytes > body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * body.length));
      body.copy(larger, 0, 0, before);
      body = larger;
    }
    piece.copy(body, before);
  }
  return body.subarray(0, bytes);
}
