import { setImmediate } from "node:timers/promises";
import type { Response } from "express";
import type { Share } from "./admission.ts";
import { JsonBytes } from "../codec/jsonBytes.ts";

/** Writes JSON, and stops when others are due. */
export type Render = (json: JsonBytes) => Iterator<void>;

/** Bytes of an answer that waits for its turn. */
const largeAnswer = 1e6;

/**
 * Sends JSON once it is whole, so that a fault or 413 can still be told. Others have their turn after each slice of it; of
 * large answers but a few are written at the same time, lest all take their memory at once. Throws an HttpError 413 where it
 * has more than `maxBytes`, or a RequestRefused where there is no room for it.
 */
export async function sendJson(
  response: Response,
  render: Render,
  maxBytes: number,
  share: Share,
): Promise<void> {
  const json = new JsonBytes(maxBytes);
  const rendering = render(json);
  const write = async (until: number): Promise<void> => {
    while (json.finishedBytes < until && !response.closed) {
      const before = json.finishedBytes;
      if (rendering.next().done) return;
      share.hold(json.finishedBytes - before);
      await setImmediate();
    }
  };
  await write(largeAnswer);
  if (json.finishedBytes >= largeAnswer) await share.inTurn(() => write(Infinity));
  if (response.closed) return json.release();
  const slices = json.end();
  const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
  response.status(200).set({ "Content-Type": "application/json", "Content-Length": String(bytes) });
  // Where the client leaves, nobody can tell when the last of it was read: it is left to the garbage collector.
  response.on("finish", () => json.release());
  // All of it is in memory: to wait for a slow client between slices would free none.
  response.cork();
  for (const slice of slices) response.write(slice);
  response.end();
}
