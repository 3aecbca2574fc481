import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import type { Response } from "express";
import { HttpError } from "./httpError.ts";

/** Characters that are rendered before others get their turn, and sent at a time. */
const sliceLength = 256 * 1024;

/**
 * Sends JSON that comes in pieces, once it is whole, so that a fault or 413 can still be told.
 * Throws an HttpError 413 where it has more than `maxBytes`.
 */
export async function sendJson(
  response: Response,
  pieces: Iterable<string>,
  maxBytes: number,
): Promise<void> {
  const slices: Buffer[] = [];
  let bytes = 0;
  let text = "";
  const cut = () => {
    const slice = Buffer.from(text);
    bytes += slice.length;
    if (bytes > maxBytes) throw new HttpError(413, "the answer would be too large: ask for fewer frames");
    slices.push(slice);
    text = "";
  };
  for (const piece of pieces) {
    text += piece;
    if (text.length > sliceLength) {
      cut();
      await setImmediate();
    }
  }
  cut();
  response.status(200).set({ "Content-Type": "application/json", "Content-Length": String(bytes) });
  if (slices.length === 1) response.end(slices[0]);
  else await pipeline(Readable.from(slices), response).catch(ifClientLeft);
}

function ifClientLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== "ERR_STREAM_PREMATURE_CLOSE" && error.code !== "ECONNRESET" && error.code !== "EPIPE")
    throw error;
}
