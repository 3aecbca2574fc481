import type { Readable } from "node:stream";
import { HttpError } from "../httpError.ts";
import { orAborted } from "../../orAborted.ts";

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
    try {
      const { done, value } = await orAborted(pieces.next(), stop);
      if (done) return;
      yield value as Buffer;
    } catch (error) {
      if (stop.aborted) throw error;
      throw new HttpError(400, "the body is cut, or not what its Content-Encoding says");
    } finally {
      clearTimeout(timer);
    }
  }
}
