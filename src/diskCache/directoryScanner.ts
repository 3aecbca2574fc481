import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Thread } from "../threads/thread.ts";
import { inTime } from "./withDiskTimeout.ts";
import { stockOf, type ListProtocol, type Stock } from "./listSymcaches.ts";
import { makeFolders } from "./makeFolders.ts";
import type { SymcacheIndex } from "./cacheIndex.ts";
import { sweepTemporaryFolders } from "./temporaryFolders.ts";

const entry = new URL("./listThread.ts", import.meta.url);
/** Where others write, stock is taken before each write; that of a large folder takes one part in so many of the time. */
const stockTakingPart = 10;
const largeFolder = 10_000;

interface Parts {
  root: string;
  /** Name of the folder under `root` that has the symcaches. */
  version: string;
  /** Name of this process's own folder under `tmp`. */
  temporary: string;
  index: SymcacheIndex;
  /** Milliseconds between two looks at what others did. */
  interval: number;
  /** Removes what is over the cap. */
  evict: () => Promise<void>;
  failed: (error: unknown) => void;
}

/** Keeps the index true to a folder where other processes add, evict and die, too. Its failures change no answer. */
export class StockTaking implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  /** Resolves when the folder is known for the first time. */
  readonly #first: Promise<void>;
  /** Resolves when, besides, what dead processes and other versions left is gone. */
  readonly cleanedUp: Promise<void>;
  #thread: Thread<ListProtocol> | undefined;
  #underWay: Promise<void> | undefined;
  /** On the performance clock. */
  #nextBeforeWrite = 0;
  #isEnding = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#lookAround(parts.temporary), parts.interval).unref();
    this.#first = this.#lookAround();
    this.cleanedUp = this.#first.then(() => this.#reporting(this.#removeOtherVersions()));
  }

  /** Learns what others wrote meanwhile, lest all of them together go over the cap. On a slow disk that is kept a little later. */
  async beforeWrite(): Promise<void> {
    await this.#reporting(inTime("taking stock", this.#learn()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#timer);
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #learn(): Promise<void> {
    await this.#first;
    // It may have looked before others wrote.
    await this.#underWay;
    if (performance.now() >= this.#nextBeforeWrite && (await this.#othersWrite())) await this.#take();
  }

  async #othersWrite(): Promise<boolean> {
    const { root, temporary } = this.#parts;
    const writers = await readdir(join(root, "tmp")).catch(() => []);
    return writers.some((name) => name !== temporary);
  }

  /** `own` as for sweepTemporaryFolders(). */
  async #lookAround(own?: string): Promise<void> {
    const { root, version, failed } = this.#parts;
    await this.#reporting(makeFolders(join(root, version)));
    await this.#reporting(sweepTemporaryFolders(join(root, "tmp"), failed, { own }));
    await this.#take();
  }

  #take(): Promise<void> {
    this.#underWay ??= this.#reporting(this.#compare()).finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #compare(): Promise<void> {
    const { index, evict } = this.#parts;
    const start = performance.now();
    await index.takeStock(() => this.#list());
    const rest = index.size > largeFolder ? (performance.now() - start) * stockTakingPart : 0;
    this.#nextBeforeWrite = performance.now() + rest;
    await evict();
  }

  async #list(): Promise<Stock> {
    const { root, version, failed } = this.#parts;
    // For nothing no thread is started, which takes 15 MB. What can't be read, the thread tells.
    const names = await readdir(join(root, version)).catch(() => undefined);
    if (names?.length === 0) return stockOf([]);
    // Nobody would end a thread that begins now.
    if (this.#isEnding) throw new Error("the end came before the folder was listed");
    if (!this.#thread || this.#thread.hasEnded) this.#thread = new Thread(entry);
    const stock = await this.#thread.ask("list", join(root, version));
    if (stock.fault !== undefined) failed(new Error(stock.fault));
    return stock;
  }

  async #removeOtherVersions(): Promise<void> {
    const { root, version } = this.#parts;
    for (const name of await readdir(root))
      if (/^symcache-v[0-9]+$/.test(name) && name !== version)
        await rm(join(root, name), { recursive: true, force: true });
  }

  async #reporting(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.#isEnding) this.#parts.failed(error);
    }
  }
}
