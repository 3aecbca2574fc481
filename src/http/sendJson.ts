import { once } from "node:events";
import type { Writable, Transform } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { Response } from "express";
import { JsonBytes, recycle } from "../codec/jsonBytes.ts";
import type { MemoryShare, Reservation } from "./admission.ts";
import { threadPoolResponds } from "./threadPool.ts";

/** Writes JSON, and yields regularly so that other requests can run. */
export type Render = (json: JsonBytes) => Iterator<void>;

/** A client's part of the memory, and what a response to it is charged to. */
interface Limits {
  reservation: Reservation;
  memory: MemoryShare;
}

const largeBytes = 1e6;
const minCompressedBytes = 1000;
const chunkSize = 64 * 1024;
/** In order of preference. Higher levels take longer than they save on a line of 100 Mbit/s. */
const compressors = new Map<string, () => Transform>([
  ["zstd", () => createZstdCompress({ chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } })],
  ["gzip", () => createGzip({ chunkSize, level: constants.Z_BEST_SPEED })],
]);

/**
 * Renders JSON completely, because an error may come up until the end. Only a few large responses are rendered at the same
 * time. Throws a RequestRefused where there is not enough memory, the signal's reason, or what `render` throws.
 */
export async function renderJson(
  render: Render,
  maxBytes: number,
  { reservation, memory }: Limits,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const json = new JsonBytes(maxBytes);
  const rendering = render(json);
  let isDone: boolean | undefined = false;
  let reservedBytes = 0;
  const reserve = () => {
    memory.reserve(json.finishedBytes - reservedBytes);
    reservedBytes = json.finishedBytes;
  };
  const renderUntil = async (bytes: number): Promise<void> => {
    while (json.finishedBytes < bytes) {
      isDone = rendering.next().done;
      if (isDone) return;
      reserve();
      await setImmediate();
      signal.throwIfAborted();
    }
  };
  await renderUntil(largeBytes);
  if (!isDone) await reservation.runLarge(() => renderUntil(Infinity));
  const slices = json.end();
  reserve();
  return slices;
}

/**
 * Sends JSON, compressed if the client accepts that, and frees each slice as soon as it is sent. Resolves when the client has
 * received everything, or has left. Resets the connection of a client that stalls.
 */
export async function sendJson(
  response: Response,
  slices: Buffer[],
  { reservation, memory }: Limits,
): Promise<void> {
  const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
  response.status(200).type("application/json").vary("Accept-Encoding");
  const encoding = bytes < minCompressedBytes ? undefined : acceptedEncoding(response);
  let output: Writable = response;
  if (encoding && (await threadPoolResponds())) {
    response.set("Content-Encoding", encoding.name);
    const compressor = encoding.compressor();
    compressor.pipe(response);
    output = compressor;
  } else response.set("Content-Length", String(bytes));
  if (response.closed) return;

  const closed = new Promise<false>((resolve) => response.once("close", () => resolve(false)));
  // The client may still have to read the response to an earlier request on its connection.
  if (!response.socket) await Promise.race([once(response, "socket"), closed]);
  try {
    for (let slice = slices.shift(); slice && !response.closed; slice = slices.shift()) {
      const written = write(output, slice);
      if (slices.length === 0) output.end();
      const isWritten = await reservation.waitForClient(Promise.race([written, closed]));
      // If the client leaves, the socket may still hold the slice.
      if (isWritten) recycle(slice);
      memory.release(slice.length);
      reservation.progressed(slice.length);
    }
    await reservation.waitForClient(closed);
  } catch (error) {
    if (!reservation.revoked.aborted) throw error;
    response.req.socket.resetAndDestroy();
  } finally {
    if (output !== response) output.destroy();
  }
}

/** Resolves when the slice is handed over, or to false if it can't be. */
function write(output: Writable, slice: Buffer): Promise<boolean> {
  return new Promise((resolve) => output.write(slice, (error) => resolve(!error)));
}

function acceptedEncoding({ req }: Response): { name: string; compressor: () => Transform } | undefined {
  for (const [name, compressor] of compressors)
    if (req.acceptsEncodings(name) !== false) return { name, compressor };
  return undefined;
}
