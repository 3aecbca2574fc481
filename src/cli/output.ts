import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { fileError } from "./commandError.ts";

export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Writes a file, gzipped where its name ends in `.gz`; it has that name only once it is whole. A device or a pipe is written
 * to as it is. Throws a CommandError, or what reading the pieces throws.
 */
export async function writeOutput(path: string, pieces: Pieces, signal: AbortSignal): Promise<void> {
  await replaceFile(path, async (temporary, flags) => {
    const [text, file] = [Readable.from(pieces), createWriteStream(temporary, { flags })];
    if (path.endsWith(".gz")) await pipeline(text, createGzip(), file, { signal });
    else await pipeline(text, file, { signal });
  });
}

/**
 * Lets `write` write a file by another name, and then gives it its own. Throws a CommandError for what the disk says, or
 * what `write` throws.
 */
export async function replaceFile(
  path: string,
  write: (temporary: string, flags: "w" | "wx") => Promise<void>,
): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const present = await stat(target).catch(() => undefined);
    if (present && !present.isFile()) return await write(target, "w");
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

/** Who read what is printed has seen enough: nothing is wrong. */
export class ReaderLeft extends Error {
  override name = "ReaderLeft";
}

/** Writes to standard output, no faster than it is read. Throws a ReaderLeft, or what reading the pieces throws. */
export async function print(pieces: Pieces): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && leavings.has(error.code))
      throw new ReaderLeft("nobody reads standard output any more", { cause: error });
    throw error;
  }
}

const leavings = new Set<unknown>(["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"]);
