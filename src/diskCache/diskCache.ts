import { lstat, lutimes, open, rm, writeFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CacheIndex, fileSuffix, type Entry } from "./cacheIndex.ts";
import { DirectoryScanner } from "./directoryScanner.ts";
import { DiskSpace, type DiskCacheEvents } from "./diskSpace.ts";
import { flush, ifAbsent, makeFolders, removeFile, renameInto } from "./files.ts";
import { nameTemporaryFolder } from "./temporaryFolders.ts";
import { withDiskTimeout } from "./withDiskTimeout.ts";

/** Increment when the format of a symcache file changes. */
const version = "symcache-v1";
/** A file's last use is recorded on disk at most this often. */
const touchIntervalMs = 60_000;
/** Shaped like `<debug filename>/<file>`; `=` keeps it apart from real ones. */
const probe = "=probe/probe";

/** A cached symcache, until it is evicted or replaced. */
export interface CachedSymcache {
  readonly path: string;
  /** Identity: a new object each time that the file is written. */
  readonly entry: object;
}

/** A symcache that is written, but not flushed yet. */
export interface WrittenSymcache {
  /** Where it can be read until it is in the cache. */
  path: string;
  /** Where it is once it is in the cache. Rejects with the disk's error. */
  kept: Promise<CachedSymcache>;
}

/**
 * Symcaches in a folder; the least recently used ones are evicted first.
 *
 *     /tmp/cache/symcache-v1/libxul.so/1410FAF03AD925211450AE25E0CB9AE50.symc
 *     /tmp/cache/tmp/web1-7-5ad1f0/0                                           being written by process 7 on web1
 *
 * A file is written under `tmp`, flushed and renamed: a reader sees a whole file or none. Its modification time is its
 * last use, to the minute, so the LRU order survives a restart. Other processes may share the folder. A key is
 * `<debug filename>/<DEBUG ID>`, both valid as in a request.
 */
export class DiskCache implements AsyncDisposable {
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #events: DiskCacheEvents;
  readonly #temporary = nameTemporaryFolder();
  readonly #index = new CacheIndex();
  readonly #scanner: DirectoryScanner;
  readonly #space: DiskSpace;
  #filesWritten = 0;

  /** Starts the first scan of the folder. The cache can be used before it ends. */
  constructor(root: string, maxBytes: number, rescanIntervalMs: number, events: DiskCacheEvents) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#events = events;
    const index = this.#index;
    const pathOf = (key: string) => this.#path(key);
    this.#space = new DiskSpace({ root, maxBytes, index, pathOf, ...events });
    this.#scanner = new DirectoryScanner({
      root,
      version,
      temporary: this.#temporary,
      index,
      rescanIntervalMs,
      evict: () => this.#space.enforceCap(),
      failed: events.failed,
    });
  }

  /** Resolves after the first scan, once leftovers of other versions and dead processes are removed and the cap is kept. */
  settled(): Promise<void> {
    return this.#scanner.settled;
  }

  /** Without files that are still being written. */
  get contents(): { symcaches: number; bytes: number } {
    return { symcaches: this.#index.size, bytes: this.#index.bytes };
  }

  /** All known symcaches, most recently used first. */
  byLastUse(): { key: string; path: string; bytes: number }[] {
    return [...this.#index].toReversed().map(([key, { bytes }]) => ({ key, path: this.#path(key), bytes }));
  }

  /** Makes the symcache the most recently used one; undefined on a miss. */
  async get(key: string): Promise<CachedSymcache | undefined> {
    const entry = this.#index.get(key) ?? (await withDiskTimeout("lstat", this.#findForeign(key)));
    if (!entry) return undefined;
    entry.used = Date.now();
    this.#index.set(key, entry);
    if (Math.abs(entry.used - entry.touched) > touchIntervalMs)
      void this.#inBackground(this.#touch(key, entry));
    return { path: this.#path(key), entry };
  }

  /**
   * Adds a symcache of `bytes`, evicting others if necessary; `write` writes it to the given path. Resolves as soon as it can
   * be read, before it is flushed; undefined if it is larger than the cap. Throws the disk's error.
   */
  async put(
    key: string,
    bytes: number,
    write: (path: string) => Promise<void>,
  ): Promise<WrittenSymcache | undefined> {
    if (bytes > this.#maxBytes) return undefined;
    await this.#scanner.beforeWrite();
    const path = this.#temporaryPath();
    await withDiskTimeout("mkdir", makeFolders(dirname(path)));
    const release = await this.#space.reserve(key, bytes);
    try {
      await write(path);
      return { path, kept: this.#commit(key, bytes, path).finally(release) };
    } catch (error) {
      await withDiskTimeout("rm", rm(path, { force: true })).catch(this.#events.failed);
      release();
      throw error;
    }
  }

  async #commit(key: string, bytes: number, temporary: string): Promise<CachedSymcache> {
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

  /** Removes a damaged or missing symcache, unless it was evicted or replaced meanwhile. */
  async remove(key: string, { path, entry }: CachedSymcache): Promise<void> {
    if (this.#index.get(key) !== entry) return;
    this.#index.delete(key);
    this.#events.used(this.#index.bytes);
    await this.#inBackground(rm(path, { force: true, recursive: true }));
  }

  /** Writes, flushes, renames and removes a small file as a symcache would be. Throws the disk's error. */
  async checkWritable(): Promise<void> {
    const written = this.#temporaryPath();
    const renamed = join(this.#root, version, probe);
    await makeFolders(dirname(written));
    try {
      await writeFile(written, "probe", { flush: true });
      await renameInto(written, renamed);
    } finally {
      await Promise.all([rm(written, { force: true }), removeFile(renamed)]);
    }
  }

  /** Throws if the disk is nearly full although the cache is not. */
  checkSpace(): Promise<void> {
    return this.#space.checkDisk();
  }

  /** An empty file without a name, which disappears when it is closed. Throws the disk's error. */
  async openTemporaryFile(): Promise<FileHandle> {
    const path = this.#temporaryPath();
    await makeFolders(dirname(path));
    const file = await open(path, "wx+");
    await rm(path);
    return file;
  }

  /** Records on disk when files were last used, so that the next start has the LRU order. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scanner[Symbol.asyncDispose]();
    await this.#space.released();
    for (const [key, entry] of this.#index)
      if (entry.used !== entry.touched) await this.#inBackground(this.#touch(key, entry));
    await this.#inBackground(rm(join(this.#root, "tmp", this.#temporary), { recursive: true, force: true }));
  }

  #path(key: string): string {
    return join(this.#root, version, key + fileSuffix);
  }

  #temporaryPath(): string {
    return join(this.#root, "tmp", this.#temporary, String(this.#filesWritten++));
  }

  /** A symcache that another process wrote since the last scan. */
  async #findForeign(key: string): Promise<Entry | undefined> {
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
