import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import type { Response } from "express";
import { JsonBytes } from "./jsonBytes.ts";

/** Writes JSON, and stops when others are due. */
export type Render = (json: JsonBytes) => Iterable<void>;

/** Slices up to which an answer is sent in one piece. */
const fewSlices = 8;

/**
 * Sends JSON once it is whole, so that a fault or 413 can still be told. Others have their turn after each slice of it.
 * Throws an HttpError 413 where it has more than `maxBytes`.
 */
export async function sendJson(response: Response, render: Render, maxBytes: number): Promise<void> {
  const json = new JsonBytes(maxBytes);
  for (const _ of render(json)) await setImmediate();
  const slices = json.end();
  const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
  response.status(200).set({ "Content-Type": "application/json", "Content-Length": String(bytes) });
  // Where the client leaves, nobody can tell when the last of it was read: it is left to the garbage collector.
  response.on("finish", () => json.release());
  if (slices.length > fewSlices) return pipeline(Readable.from(slices), response).catch(ifClientLeft);
  response.cork();
  for (const slice of slices) response.write(slice);
  response.end();
}

function ifClientLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== "ERR_STREAM_PREMATURE_CLOSE" && error.code !== "ECONNRESET" && error.code !== "EPIPE")
    throw error;
}
