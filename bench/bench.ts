import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { report } from "./measure.ts";
import { writeSymFile, type SymFile } from "./symFile.ts";

/** What all comparisons share. */
export class Bench {
  /** Whether all inputs are small, to test the benchmark itself. */
  readonly quick: boolean;
  /** A temporary folder. */
  readonly folder: string;
  /** A Python with Symbolic; undefined if there is none. */
  readonly python: string | undefined;
  readonly #symFiles = new Map<number, SymFile>();

  constructor(quick: boolean, folder: string, python: string | undefined) {
    this.quick = quick;
    this.folder = folder;
    this.python = python;
  }

  pick<T>(full: T, quick: T): T {
    return this.quick ? quick : full;
  }

  /** The folder of the symbol servers. */
  get symbols(): string {
    return join(this.folder, "symbols");
  }

  /** Writes a libxul of the given size into its own symbols folder, with a gzipped copy if requested. */
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

  /** Creates a folder that is removed on disposal. */
  async newFolder(): Promise<{ path: string } & AsyncDisposable> {
    const path = await mkdtemp(join(this.folder, "run-"));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  }
}
