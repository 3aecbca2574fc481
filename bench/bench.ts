import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { report } from "./measure.ts";
import { writeSymFile, type SymFile } from "./symFile.ts";

/** What all parts of a run share. */
export class Bench {
  /** Whether everything is small, for a test of the bench itself. */
  readonly quick: boolean;
  /** A temporary folder. */
  readonly folder: string;
  /** A Python that has Symbolic; undefined where there is none. */
  readonly python: string | undefined;
  readonly #symFiles = new Map<number, SymFile>();

  constructor(quick: boolean, folder: string, python: string | undefined) {
    this.quick = quick;
    this.folder = folder;
    this.python = python;
  }

  /** One number for a whole run, another for a quick one. */
  pick<T>(whole: T, quick: T): T {
    return this.quick ? quick : whole;
  }

  /** What symbol servers of this run have. */
  get symbols(): string {
    return join(this.folder, "symbols");
  }

  /** A libxul of so many megabytes, in a folder of symbols of its own; gzipped beside it where `gzipped`. */
  async libxul(megabytes: number, gzipped = false): Promise<SymFile & { symbols: string }> {
    const symbols = join(this.symbols, String(megabytes));
    let symFile = this.#symFiles.get(megabytes);
    if (!symFile) {
      report(`writing a sym file of ${megabytes} MB`);
      this.#symFiles.set(megabytes, (symFile = writeSymFile(symbols, megabytes)));
    }
    if (gzipped) {
      report(`compressing a sym file of ${megabytes} MB`);
      const { path } = symFile;
      await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`));
    }
    return { ...symFile, symbols };
  }

  /** A new folder that is gone once disposed. */
  async newFolder(): Promise<{ path: string } & AsyncDisposable> {
    const path = await mkdtemp(join(this.folder, "run-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }
}
