import { setImmediate } from "node:timers/promises";
import type { Response } from "express";
import { JsonBytes } from "../codec/jsonBytes.ts";
import type { Reservation } from "./admission.ts";

/** Writes JSON, and yields regularly so that other requests can run. */
export type Render = (json: JsonBytes) => Iterator<void>;

const largeBytes = 1e6;

/**
 * Renders JSON completely, then sends it: an error may come up until the end. Only a few large responses are rendered at the
 * same time. Throws a RequestRefused where there is not enough memory, or what `render` throws.
 */
export async function sendJson(
  response: Response,
  render: Render,
  maxBytes: number,
  reservation: Reservation,
): Promise<void> {
  const json = new JsonBytes(maxBytes);
  const rendering = render(json);
  const renderUntil = async (bytes: number): Promise<void> => {
    while (json.finishedBytes < bytes && !response.closed) {
      const before = json.finishedBytes;
      if (rendering.next().done) return;
      reservation.reserve(json.finishedBytes - before);
      await setImmediate();
    }
  };
  await renderUntil(largeBytes);
  if (json.finishedBytes >= largeBytes) await reservation.runLarge(() => renderUntil(Infinity));
  if (response.closed) return json.release();
  const slices = json.end();
  const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
  response.status(200).set({ "Content-Type": "application/json", "Content-Length": String(bytes) });
  // Not on "close": if the client leaves, the socket may still hold slices.
  response.on("finish", () => json.release());
  // Waiting for a slow client between slices would not free any memory.
  response.cork();
  for (const slice of slices) response.write(slice);
  response.end();
}
