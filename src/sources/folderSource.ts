import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModuleId } from "../identity/moduleId.ts";
import { DownloadError } from "./downloadError.ts";
import { decompress, pieceBytes } from "./decompress.ts";
import { symFilePaths, type Source, type SymText } from "./source.ts";

/** A folder of sym files, `file:///folder`, with `X.sym` or else `X.sym.gz`. */
export class FolderSource implements Source {
  readonly address: string;
  readonly fault = undefined;
  readonly #folder: string;

  constructor(address: string) {
    this.address = address;
    this.#folder = fileURLToPath(address);
  }

  async open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    for (const name of symFilePaths(module)) {
      const path = join(this.#folder, name);
      const file = (await openFile(path)) ?? (await openFile(`${path}.gz`));
      if (file) return { pieces: decompress(read(file, signal)), [Symbol.asyncDispose]: () => file.close() };
    }
    return undefined;
  }

  attempt<T>(download: () => Promise<T>): Promise<T> {
    return download();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function openFile(path: string): Promise<FileHandle | undefined> {
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

const absences = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

async function* read(file: FileHandle, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* file.createReadStream({ highWaterMark: pieceBytes, signal });
  } catch (error) {
    throw new DownloadError("failed", `can't read the sym file: ${String(error)}`, { cause: error });
  }
}
