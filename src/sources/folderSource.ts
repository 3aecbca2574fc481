import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModuleId } from "../identity/moduleId.ts";
import { decompress } from "./decompress.ts";
import { openFile, readPieces } from "./localFile.ts";
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
      if (file)
        return { pieces: decompress(readPieces(file, signal)), [Symbol.asyncDispose]: () => file.close() };
    }
    return undefined;
  }

  attempt<T>(download: () => Promise<T>): Promise<T> {
    return download();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
