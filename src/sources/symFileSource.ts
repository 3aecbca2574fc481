import type { FileHandle } from "node:fs/promises";
import type { ModuleId } from "../identity/moduleId.ts";
import { decompress, readStart } from "./decompress.ts";
import { DownloadError } from "./downloadError.ts";
import { LocalSource, openFile, readPieces } from "./localFile.ts";
import type { SymText } from "./source.ts";

/** The MODULE record of a sym file is at most this long. */
const maxRecordBytes = 320;

/** A single sym file, `file:///folder/X.sym`, of the module that its MODULE record names. */
export class SymFileSource extends LocalSource {
  async open({ debugId }: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    if ((await this.#readDebugId(signal)) !== debugId) return undefined;
    const file = await this.#openFile();
    return { pieces: decompress(readPieces(file, signal)), [Symbol.asyncDispose]: () => file.close() };
  }

  /** `MODULE Linux x86_64 1410FAF03AD925211450AE25E0CB9AE50 libxul.so` */
  async #readDebugId(signal: AbortSignal): Promise<string> {
    await using file = await this.#openFile();
    const { start, all } = await readStart(
      decompress(readPieces(file, signal)),
      ({ length }) => length >= maxRecordBytes,
    );
    // Ends the reading.
    for await (const _ of all) break;
    const [, debugId] = /^MODULE \S+ \S+ ([0-9A-F]+) /i.exec(Buffer.from(start).toString()) ?? [];
    if (debugId === undefined)
      throw new DownloadError("failed", "not a sym file: it does not start with a MODULE record");
    return debugId.toUpperCase();
  }

  async #openFile(): Promise<FileHandle> {
    const file = await openFile(this.path);
    if (!file) throw new DownloadError("failed", `${this.path} is not a file`);
    return file;
  }
}
