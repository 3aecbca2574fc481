import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DownloadError } from "./downloadError.ts";

/** Node's default of 16 KiB makes gunzip twice as slow. */
export const pieceBytes = 256 * 1024;

/** Decompresses gzip. Throws a DownloadError if the data is truncated, damaged or followed by other data. */
export async function* gunzipPieces(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  // Errors reach the loop below through the stream.
  pipeline(Readable.from(pieces, { objectMode: false }), gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    const { message } = error as Error;
    throw new DownloadError("failed", `bad gzip: ${message}`, { cause: error, isTransient: true });
  }
}
