import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pieceBytes } from "./decompress.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { DownloadError } from "./downloadError.ts";
import type { Source, SymText } from "./source.ts";

const absences = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** A source on this machine, `file:///…`: nothing is retried, and nothing stays open between two modules. */
export abstract class LocalSource implements Source {
  readonly address: string;
  readonly fault = undefined;
  protected readonly path: string;

  constructor(address: string) {
    this.address = address;
    this.path = fileURLToPath(address);
  }

  abstract open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined>;

  attempt<T>(download: () => Promise<T>): Promise<T> {
    return download();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Returns undefined unless there is a regular file at the path. Throws a DownloadError. */
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
