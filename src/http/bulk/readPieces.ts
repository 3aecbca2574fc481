import type { Readable } from "node:stream";
import { HttpError } from "../httpError.ts";
import { abortable } from "../../async/abortable.ts";

/**
 * A body's bytes as they come. Throws an HttpError where it can't be decompressed, or where nothing comes for `patience`
 * milliseconds while it is waited for; throws the signal's reason once that is aborted.
 */
export async function* readPieces(
  body: Readable,
  patience: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  // Not destroyed when the loop is left: the answer still goes out on the request's connection.
  const pieces = body.iterator({ destroyOnReturn: false });
  const silence = new AbortController();
  const stop = AbortSignal.any([signal, silence.signal]);
  for (;;) {
    const timer = setTimeout(() => silence.abort(new HttpError(408)), patience);
    let next;
    try {
      next = await abortable(pieces.next(), stop);
    } catch (error) {
      if (stop.aborted) throw error;
      throw new HttpError(400, "the body is cut, or not what its Content-Encoding says");
    } finally {
      // Before the piece is passed on: while that is worked at, it is not the client who is waited for.
      clearTimeout(timer);
    }
    if (next.done) return;
    yield next.value as Buffer;
  }
}
