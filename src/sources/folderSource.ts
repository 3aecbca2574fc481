import { join } from "node:path";
import type { ModuleId } from "../identity/moduleId.ts";
import { decompress } from "./decompress.ts";
import { LocalSource, openFile, readPieces } from "./localFile.ts";
import { symFilePaths, type SymText } from "./source.ts";

/** A folder of sym files, `file:///folder`, with `X.sym` or else `X.sym.gz`. */
export class FolderSource extends LocalSource {
  async open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    for (const name of symFilePaths(module)) {
      const path = join(this.path, name);
      const file = (await openFile(path)) ?? (await openFile(`${path}.gz`));
      if (file)
        return { pieces: decompress(readPieces(file, signal)), [Symbol.asyncDispose]: () => file.close() };
    }
    return undefined;
  }
}
