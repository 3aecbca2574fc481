import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { pieceBytes } from "./decompress.ts";
import { DownloadError } from "./downloadError.ts";

const absences = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** Undefined if there is no such file, or something else of that name. Throws a DownloadError. */
export async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK, opening a pipe waits for a writer.
    await using stack = new AsyncDisposableStack();
    const file = stack.use(await open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    if (!(await file.stat()).isFile()) return undefined;
    stack.move();
    return file;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (absences.has(code)) return undefined;
    throw new DownloadError("failed", `can't open the sym file: ${code}`, { cause: error });
  }
}

/** The bytes of a file. Throws a DownloadError. */
export async function* readPieces(file: FileHandle, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* file.createReadStream({ highWaterMark: pieceBytes, signal });
  } catch (error) {
    throw new DownloadError("failed", `can't read the sym file: ${String(error)}`, { cause: error });
  }
}
