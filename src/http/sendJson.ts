import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { Response } from "express";
import { JsonBytes } from "../codec/jsonBytes.ts";
import type { Reservation } from "./admission.ts";
import { threadPoolResponds } from "./threadPool.ts";

/** Writes JSON, and yields regularly so that other requests can run. */
export type Render = (json: JsonBytes) => Iterator<void>;

const largeBytes = 1e6;
const minCompressedBytes = 1000;
const chunkSize = 64 * 1024;
/** In order of preference. Higher levels take longer than they save on a line of 100 Mbit/s. */
const compressors = new Map<string, () => Transform>([
  ["zstd", () => createZstdCompress({ chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } })],
  ["gzip", () => createGzip({ chunkSize, level: constants.Z_BEST_SPEED })],
]);

/**
 * Renders JSON completely, then sends it, compressed if the client accepts that: an error may come up until the end. Only a
 * few large responses are rendered at the same time. Throws a RequestRefused where there is not enough memory, or what
 * `render` throws.
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
  response.status(200).type("application/json").vary("Accept-Encoding");
  // Not on "close": if the client leaves, the socket may still hold slices.
  response.on("finish", () => json.release());
  const encoding = bytes < minCompressedBytes ? undefined : acceptedEncoding(response);
  if (encoding && (await threadPoolResponds())) {
    response.set("Content-Encoding", encoding.name);
    // Fails only if the client leaves.
    return pipeline(Readable.from(slices), encoding.compressor(), response).catch(() => {});
  }
  response.set("Content-Length", String(bytes));
  // Waiting for a slow client between slices would not free any memory.
  response.cork();
  for (const slice of slices) response.write(slice);
  response.end();
}

function acceptedEncoding({ req }: Response): { name: string; compressor: () => Transform } | undefined {
  for (const [name, compressor] of compressors)
    if (req.acceptsEncodings(name) !== false) return { name, compressor };
  return undefined;
}
