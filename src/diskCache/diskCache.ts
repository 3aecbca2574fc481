import { lstat, lutimes, open, rm, writeFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { flush, ifAbsent, removeFile, renameInto } from "./durableFiles.ts";
import { inTime } from "./withDiskTimeout.ts";
import { suffix } from "./listSymcaches.ts";
import { makeFolders } from "./makeFolders.ts";
import { Room } from "./diskSpace.ts";
import { StockTaking } from "./directoryScanner.ts";
import { SymcacheIndex, type Entry } from "./cacheIndex.ts";
import { nameTemporaryFolder } from "./temporaryFolders.ts";

/** Bump when the bytes of a symcache file change their meaning. */
const version = "symcache-v1";
/** Milliseconds between two notes on disk that a file is in use. */
const touchInterval = 60_000;
/** As `<debug filename>/<file>`; no debug filename has a `=`. */
const probe = "=probe/probe";

/** A symcache that was found, unless it is evicted or made again meanwhile. */
export interface FoundSymcache {
  readonly path: string;
  /** Another one for each time that it is made. */
  readonly entry: object;
}

/** A symcache that is on disk, but not flushed yet. */
export interface WrittenSymcache {
  /** Where it can be read until it is kept. */
  path: string;
  /** Where it is from then on. Rejects with what the disk says. */
  kept: Promise<FoundSymcache>;
}

export interface FolderEvents {
  evicted: () => void;
  /** The sum of all symcaches, whenever it changed. */
  used: (bytes: number) => void;
  /** Work in the background failed: the disk is at fault. */
  failed: (error: unknown) => void;
}

/**
 * The symcaches on disk; the least recently used goes first.
 *
 *     /tmp/cache/symcache-v1/libxul.so/1410FAF03AD925211450AE25E0CB9AE50.symc
 *     /tmp/cache/tmp/web1-7-5ad1f0/0                                           being written by process 7 on web1
 *
 * A file is written under `tmp`, flushed and renamed: a reader sees a whole file or none. Its time says when it
 * was last used, to the minute, so that the order outlives a restart. Other processes may share the folder.
 *
 * A key is `<debug filename>/<DEBUG ID>`, of names and ids that a request may hold.
 */
export class SymcacheFolder implements AsyncDisposable {
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #events: FolderEvents;
  readonly #temporary = nameTemporaryFolder();
  readonly #index = new SymcacheIndex();
  readonly #stockTaking: StockTaking;
  readonly #room: Room;
  #filesWritten = 0;

  /** Begins to take stock, which is done every `rescanInterval` milliseconds from then on. */
  constructor(root: string, maxBytes: number, rescanInterval: number, events: FolderEvents) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#events = events;
    const pathOf = (key: string) => this.#path(key);
    this.#room = new Room({ root, maxBytes, index: this.#index, pathOf, ...events });
    this.#stockTaking = new StockTaking({
      root,
      version,
      temporary: this.#temporary,
      index: this.#index,
      interval: rescanInterval,
      evict: () => this.#room.keepCap(),
      failed: events.failed,
    });
  }

  /** Resolves when its symcaches are known, what other versions and dead processes left is gone and the cap is kept. It can be used before. */
  settled(): Promise<void> {
    return this.#stockTaking.cleanedUp;
  }

  /** What it holds, without what is being written. */
  get contents(): { symcaches: number; bytes: number } {
    return { symcaches: this.#index.size, bytes: this.#index.bytes };
  }

  /** What is known of its symcaches, most recently used first. */
  byLastUse(): { key: string; path: string; bytes: number }[] {
    return [...this.#index].toReversed().map(([key, { bytes }]) => ({ key, path: this.#path(key), bytes }));
  }

  /** The symcache of `key`, which thereby is the most recently used, or undefined. */
  async get(key: string): Promise<FoundSymcache | undefined> {
    const entry = this.#index.get(key) ?? (await inTime("lstat", this.#findOthers(key)));
    if (!entry) return undefined;
    entry.used = Date.now();
    this.#index.set(key, entry);
    if (Math.abs(entry.used - entry.touched) > touchInterval)
      void this.#inBackground(this.#touch(key, entry));
    return { path: this.#path(key), entry };
  }

  /**
   * Keeps a symcache of `bytes` that `write` writes to the path it is given; evicts others to make room. Resolves once it
   * can be read, before it is flushed; undefined where it is larger than the folder may be. Throws what the disk says.
   */
  async set(
    key: string,
    bytes: number,
    write: (path: string) => Promise<void>,
  ): Promise<WrittenSymcache | undefined> {
    if (bytes > this.#maxBytes) return undefined;
    await this.#stockTaking.beforeWrite();
    const path = this.#temporaryPath();
    await inTime("mkdir", makeFolders(dirname(path)));
    const reservation = await this.#room.reserve(key, bytes);
    const end = () => reservation[Symbol.dispose]();
    try {
      await write(path);
      return { path, kept: this.#keep(key, bytes, path).finally(end) };
    } catch (error) {
      await inTime("rm", rm(path, { force: true })).catch(this.#events.failed);
      end();
      throw error;
    }
  }

  /** Flushes a written symcache and gives it its name, which is the answer. */
  async #keep(key: string, bytes: number, temporary: string): Promise<FoundSymcache> {
    try {
      await flush(temporary);
      const path = this.#path(key);
      await renameInto(temporary, path);
      const entry = { bytes, used: Date.now(), touched: Date.now() };
      this.#index.set(key, entry);
      return { path, entry };
    } catch (error) {
      await rm(temporary, { force: true }).catch(this.#events.failed);
      throw error;
    }
  }

  /** Removes a symcache that is damaged or gone, unless it was evicted or made again since it was found. */
  async remove(key: string, { path, entry }: FoundSymcache): Promise<void> {
    if (this.#index.get(key) !== entry) return;
    this.#index.delete(key);
    this.#events.used(this.#index.bytes);
    await this.#inBackground(rm(path, { force: true, recursive: true }));
  }

  /** Does with a small file what keeps a symcache, and removes it. Throws what the disk says. */
  async checkWritable(): Promise<void> {
    const written = this.#temporaryPath();
    const kept = join(this.#root, version, probe);
    await makeFolders(dirname(written));
    try {
      await writeFile(written, "probe", { flush: true });
      await renameInto(written, kept);
    } finally {
      await Promise.all([rm(written, { force: true }), removeFile(kept)]);
    }
  }

  /** An empty file that has no name, and is gone once it is closed. Throws what the disk says. */
  async openTemporaryFile(): Promise<FileHandle> {
    const path = this.#temporaryPath();
    await makeFolders(dirname(path));
    const file = await open(path, "wx+");
    await rm(path);
    return file;
  }

  /** Throws where the disk is nearly full before the folder is. */
  checkSpace(): Promise<void> {
    return this.#room.checkDisk();
  }

  /** Notes on disk what was used since, so that the next start has the order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stockTaking[Symbol.asyncDispose]();
    await this.#room.released();
    for (const [key, entry] of this.#index)
      if (entry.used !== entry.touched) await this.#inBackground(this.#touch(key, entry));
    await this.#inBackground(rm(join(this.#root, "tmp", this.#temporary), { recursive: true, force: true }));
  }

  #path(key: string): string {
    return join(this.#root, version, key + suffix);
  }

  #temporaryPath(): string {
    return join(this.#root, "tmp", this.#temporary, String(this.#filesWritten++));
  }

  /** A symcache that another process put there. */
  async #findOthers(key: string): Promise<Entry | undefined> {
    const path = this.#path(key);
    const folder = await lstat(dirname(path)).catch(ifAbsent);
    const file = folder?.isDirectory() ? await lstat(path).catch(ifAbsent) : undefined;
    if (!file?.isFile()) return undefined;
    return this.#index.get(key) ?? { bytes: file.size, used: 0, touched: file.mtimeMs };
  }

  async #touch(key: string, entry: Entry): Promise<void> {
    entry.touched = entry.used;
    const time = new Date(entry.used);
    await lutimes(this.#path(key), time, time).catch(ifAbsent);
  }

  async #inBackground(work: Promise<void>): Promise<void> {
    await work.catch(this.#events.failed);
  }
}
