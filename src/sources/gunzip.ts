import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DownloadError } from "./downloadError.ts";

/** Bytes of a piece: gunzip takes twice as long with the 16 KiB that are Node's default. */
export const pieceBytes = 256 * 1024;

/** Decompresses gzip. Throws a DownloadError where it is cut, damaged or followed by something else. */
export async function* gunzipPieces(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  // The error reaches the loop below through the stream itself.
  pipeline(Readable.from(pieces, { objectMode: false }), gunzip, () => {});
  try {
    yield* gunzip;
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    const { message } = error as Error;
    throw new DownloadError("failed", `bad gzip: ${message}`, { cause: error, isTransient: true });
  }
}
