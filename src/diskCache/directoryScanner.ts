import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Thread } from "../threads/thread.ts";
import type { CacheIndex, Listing } from "./cacheIndex.ts";
import { makeFolders } from "./files.ts";
import type { ScanProtocol } from "./scanThread.ts";
import { sweepTemporaryFolders } from "./temporaryFolders.ts";
import { withDiskTimeout } from "./withDiskTimeout.ts";

const scanThread = new URL("./scanThread.ts", import.meta.url);
/** A shared folder is scanned before each write; a large one for at most 1/10 of the time. */
const largeFolder = 10_000;
const pauseFactor = 10;

interface Deps {
  root: string;
  /** Name of the folder under `root` with the symcaches. */
  version: string;
  /** Name of this process's own folder under `tmp`. */
  temporary: string;
  index: CacheIndex;
  rescanIntervalMs: number;
  /** Evicts files over the cap. */
  evict: () => Promise<void>;
  failed: (error: unknown) => void;
}

/** Keeps the index in sync with a folder that other processes write to as well. A failed scan fails no request. */
export class DirectoryScanner implements AsyncDisposable {
  readonly #deps: Deps;
  readonly #timer: NodeJS.Timeout;
  readonly #firstScan: Promise<void>;
  /** Resolves after the first scan, once files of dead processes and other versions are gone. */
  readonly settled: Promise<void>;
  #thread: Thread<ScanProtocol> | undefined;
  #running: Promise<void> | undefined;
  /** On the performance clock. */
  #nextBeforeWrite = 0;
  #isClosed = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    const sweep = () => void this.#sweepAndRescan(deps.temporary);
    this.#timer = setInterval(sweep, deps.rescanIntervalMs).unref();
    this.#firstScan = this.#sweepAndRescan();
    this.settled = this.#firstScan.then(() => this.#reportError(this.#removeOtherVersions()));
  }

  /** Learns what other processes wrote, so that all together keep the cap. On a slow disk the cap is kept later. */
  async beforeWrite(): Promise<void> {
    await this.#reportError(withDiskTimeout("scan", this.#rescanIfShared()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #rescanIfShared(): Promise<void> {
    await this.#firstScan;
    // A running scan may have read the folder before another process wrote.
    await this.#running;
    if (performance.now() < this.#nextBeforeWrite) return;
    const { root, temporary } = this.#deps;
    const writers = await readdir(join(root, "tmp")).catch(() => []);
    if (writers.some((name) => name !== temporary)) await this.#rescan();
  }

  /** `own` as for sweepTemporaryFolders(). */
  async #sweepAndRescan(own?: string): Promise<void> {
    const { root, version, failed } = this.#deps;
    await this.#reportError(makeFolders(join(root, version)));
    await this.#reportError(sweepTemporaryFolders(join(root, "tmp"), failed, { own }));
    await this.#rescan();
  }

  #rescan(): Promise<void> {
    this.#running ??= this.#reportError(this.#scan()).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #scan(): Promise<void> {
    const { index, evict } = this.#deps;
    const start = performance.now();
    await index.rescan(() => this.#list());
    const pauseMs = index.size > largeFolder ? (performance.now() - start) * pauseFactor : 0;
    this.#nextBeforeWrite = performance.now() + pauseMs;
    await evict();
  }

  async #list(): Promise<Listing> {
    const { root, version, failed } = this.#deps;
    // A thread takes 15 MB: don't start one for an empty folder. The thread reports a folder that can't be read.
    const names = await readdir(join(root, version)).catch(() => undefined);
    if (names?.length === 0)
      return { keys: [], bytes: new Float64Array(), used: new Float64Array(), error: undefined };
    // Nothing would end a thread that starts now.
    if (this.#isClosed) throw new Error("the cache was closed before its folder was scanned");
    if (!this.#thread || this.#thread.hasEnded) this.#thread = new Thread(scanThread);
    const listing = await this.#thread.ask("scan", join(root, version));
    if (listing.error !== undefined) failed(new Error(listing.error));
    return listing;
  }

  async #removeOtherVersions(): Promise<void> {
    const { root, version } = this.#deps;
    for (const name of await readdir(root))
      if (/^symcache-v[0-9]+$/.test(name) && name !== version)
        await rm(join(root, name), { recursive: true, force: true });
  }

  async #reportError(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.#isClosed) this.#deps.failed(error);
    }
  }
}
