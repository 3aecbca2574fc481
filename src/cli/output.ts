import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { CommandEnded, exitCodes, fileError } from "./commandError.ts";

export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** Writes a file atomically, gzipped if its name ends in `.gz`. Throws a CommandError, or whatever reading the pieces throws. */
export async function writeOutput(path: string, pieces: Pieces, signal: AbortSignal): Promise<void> {
  await replaceFile(path, async (temporary, flags) => {
    const [text, file] = [Readable.from(pieces), createWriteStream(temporary, { flags })];
    if (path.endsWith(".gz")) await pipeline(text, createGzip(), file, { signal });
    else await pipeline(text, file, { signal });
  });
}

/** Lets `write` write a temporary file, then renames it. Devices and pipes are written to directly. */
export async function replaceFile(
  path: string,
  write: (temporary: string, flags: "w" | "wx") => Promise<void>,
): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const existing = await stat(target).catch(() => undefined);
    if (existing && !existing.isFile()) return await write(target, "w");
    const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    try {
      await write(temporary, "wx");
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw fileError(`can't write ${path}`, error);
  }
}

const closedCodes = new Set<unknown>(["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"]);

/** Writes to standard output with backpressure. Throws a CommandEnded if its reader is gone, or whatever reading the pieces throws. */
export async function print(pieces: Pieces): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && closedCodes.has(error.code))
      throw new CommandEnded(exitCodes.fine, "standard output was closed", { cause: error });
    throw error;
  }
}
