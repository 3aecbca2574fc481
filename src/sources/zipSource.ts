import type { ModuleId } from "../identity/moduleId.ts";
import { decompress } from "./decompress.ts";
import { DownloadError } from "./downloadError.ts";
import { LocalSource, openFile } from "./localFile.ts";
import { symFilePaths, type SymText } from "./source.ts";
import { listFiles, openZipFile, readFile, type Entry } from "./zipFile.ts";

/** A zip file, `file:///symbols.zip`, with the layout of a symbol server, in a folder or not. */
export class ZipSource extends LocalSource {
  /** Of the file as it was when the entries were read. */
  #version = "";
  /** By the last three parts of their paths. */
  #entries = Promise.resolve(new Map<string, Entry>());

  async open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    await using stack = new AsyncDisposableStack();
    const file = stack.use(await openFile(this.path));
    if (!file) throw new DownloadError("failed", `${this.path} is not a file`);
    const zip = await openZipFile(file);
    const { size, mtimeMs, ino } = await file.stat();
    const version = `${size} ${mtimeMs} ${ino}`;
    if (version !== this.#version) {
      this.#version = version;
      this.#entries = listFiles(zip).then(byLayout);
    }
    const entries = await this.#entries;
    for (const path of symFilePaths(module)) {
      const entry = entries.get(path) ?? entries.get(`${path}.gz`);
      if (!entry) continue;
      const opened = stack.move();
      return {
        pieces: decompress(readFile(zip, entry, signal)),
        [Symbol.asyncDispose]: () => opened.disposeAsync(),
      };
    }
    return undefined;
  }
}

/** Zip files may be made of a folder. */
function byLayout(entries: Entry[]): Map<string, Entry> {
  return new Map(
    entries
      .filter(({ fileName }) => /\.sym(\.gz)?$/i.test(fileName))
      .map((entry) => [entry.fileName.split("/").slice(-3).join("/"), entry]),
  );
}
