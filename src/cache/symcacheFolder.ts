import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readdir, rename, rm, rmdir, statfs, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { sweepTemporaryFolders } from "./temporaryFolders.ts";

/** Bump when the bytes of a symcache file change their meaning. */
const version = "symcache-v1";
const suffix = ".symc";
const namePattern = /^[0-9A-F]{1,64}\.symc$/;
/** Milliseconds between two notes on disk that a file is in use. */
const touchInterval = 60_000;
const rescanInterval = 60_000;
/** Bytes: a disk with less free is nearly full. */
const fullDisk = 1e9;

/** Times are in milliseconds since 1970. */
interface Entry {
  bytes: number;
  used: number;
  /** When its last use was noted on disk. */
  touched: number;
}

/** A symcache that is on disk, but not flushed yet. */
export interface WrittenSymcache {
  /** Where it can be read until it is kept. */
  path: string;
  /** Its path from then on. Rejects with what the disk says. */
  kept: Promise<string>;
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
  readonly #temporary = `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #bytesBeingWritten = 0;
  readonly #writes = new Set<Promise<void>>();
  #filesWritten = 0;
  #rescan: NodeJS.Timeout | undefined;

  constructor(root: string, maxBytes: number, events: FolderEvents) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  /** Makes the folder ready: takes stock, removes other versions and what dead processes left. */
  async open(): Promise<void> {
    this.#rescan = setInterval(() => void this.#inBackground(this.#takeStock()), rescanInterval).unref();
    await this.#inBackground(this.#cleanUp());
  }

  /** Path of the symcache of `key`, which thereby is the most recently used, or undefined. */
  async get(key: string): Promise<string | undefined> {
    const path = this.#path(key);
    let entry = this.#entries.get(key);
    if (!entry) {
      // Another process may have put it there.
      const found = await lstat(path).catch(ifAbsent);
      if (!found?.isFile()) return undefined;
      entry = { bytes: found.size, used: 0, touched: found.mtimeMs };
    }
    entry.used = Date.now();
    this.#remember(key, entry);
    if (entry.used - entry.touched > touchInterval) void this.#inBackground(this.#touch(key, entry));
    return path;
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
    // What is being written can't be evicted: where that leaves too little room, others must end first.
    while (this.#bytesBeingWritten + bytes > this.#maxBytes) await Promise.race(this.#writes);
    this.#bytesBeingWritten += bytes;
    const ended = Promise.withResolvers<void>();
    this.#writes.add(ended.promise);
    const end = () => {
      this.#bytesBeingWritten -= bytes;
      this.#writes.delete(ended.promise);
      ended.resolve();
      this.#events.used(this.#bytes);
    };
    const path = this.#temporaryPath();
    try {
      await this.#evict();
      await mkdir(dirname(path), { recursive: true });
      await write(path);
      return { path, kept: this.#keep(key, bytes, path).finally(end) };
    } catch (error) {
      await rm(path, { force: true }).catch(this.#events.failed);
      end();
      throw error;
    }
  }

  /** Flushes a written symcache and gives it its name, which is the answer. */
  async #keep(key: string, bytes: number, temporary: string): Promise<string> {
    try {
      await flush(temporary);
      const path = this.#path(key);
      await renameInto(temporary, path);
      this.#remember(key, { bytes, used: Date.now(), touched: Date.now() });
      return path;
    } catch (error) {
      await rm(temporary, { force: true }).catch(this.#events.failed);
      throw error;
    }
  }

  /** Removes the symcache of `key`: it is damaged, or gone. */
  async remove(key: string): Promise<void> {
    this.#forget(key);
    this.#events.used(this.#bytes);
    await this.#inBackground(rm(this.#path(key), { force: true, recursive: true }));
  }

  /** Writes, flushes and removes a small file. Throws what the disk says. */
  async checkWritable(): Promise<void> {
    const path = this.#temporaryPath();
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "probe", { flush: true });
    await rm(path);
  }

  /** Throws where the disk is nearly full before the folder is. */
  async checkSpace(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#root);
    const free = bavail * bsize;
    if (free < Math.min(fullDisk, this.#maxBytes - this.#bytes))
      throw new Error(`${Math.floor(free / 1e6)} MB are free, and the folder may still grow`);
  }

  /** Notes on disk what was used since, so that the next start has the order. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#rescan);
    await Promise.all(this.#writes);
    for (const [key, entry] of this.#entries)
      if (entry.used > entry.touched) await this.#inBackground(this.#touch(key, entry));
    await this.#inBackground(rm(join(this.#root, "tmp", this.#temporary), { recursive: true, force: true }));
  }

  #path(key: string): string {
    return join(this.#root, version, key + suffix);
  }

  #temporaryPath(): string {
    return join(this.#root, "tmp", this.#temporary, String(this.#filesWritten++));
  }

  #remember(key: string, entry: Entry): void {
    this.#forget(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  /** Removes what was used longest ago until there is room for what is being written. */
  async #evict(): Promise<void> {
    const removals = [];
    for (const key of this.#entries.keys()) {
      if (this.#bytes + this.#bytesBeingWritten <= this.#maxBytes) break;
      this.#forget(key);
      this.#events.evicted();
      removals.push(removeFile(this.#path(key)));
    }
    await Promise.all(removals);
  }

  async #cleanUp(): Promise<void> {
    await mkdir(join(this.#root, version), { recursive: true });
    for (const name of await readdir(this.#root))
      if (name.startsWith("symcache-v") && name !== version)
        await rm(join(this.#root, name), { recursive: true, force: true });
    await sweepTemporaryFolders(join(this.#root, "tmp"));
    await this.#takeStock();
  }

  /** Brings the index up to date with the disk: other processes add and evict, too. */
  async #takeStock(): Promise<void> {
    const before = [...this.#entries.keys()];
    const found = await this.#list();
    for (const key of before) if (!found.has(key)) this.#forget(key);
    for (const [key, entry] of this.#entries) found.set(key, entry);
    this.#entries.clear();
    this.#bytes = 0;
    for (const [key, entry] of [...found].toSorted(([, a], [, b]) => a.used - b.used))
      this.#remember(key, entry);
    await this.#evict();
    this.#events.used(this.#bytes);
  }

  async #list(): Promise<Map<string, Entry>> {
    const folder = join(this.#root, version);
    const found = new Map<string, Entry>();
    for (const debugFilename of await readdir(folder)) {
      const names = await readdir(join(folder, debugFilename)).catch(ifAbsent);
      const files = (names ?? []).filter((name) => namePattern.test(name));
      await Promise.all(
        files.map(async (name) => {
          const file = await lstat(join(folder, debugFilename, name)).catch(ifAbsent);
          if (!file?.isFile()) return;
          const key = `${debugFilename}/${name.slice(0, -suffix.length)}`;
          found.set(key, { bytes: file.size, used: file.mtimeMs, touched: file.mtimeMs });
        }),
      );
    }
    return found;
  }

  async #touch(key: string, entry: Entry): Promise<void> {
    entry.touched = entry.used;
    const time = new Date(entry.used);
    await utimes(this.#path(key), time, time).catch(ifAbsent);
  }

  async #inBackground(work: Promise<void>): Promise<void> {
    await work.catch(this.#events.failed);
  }
}

/** Renames, and flushes the folder so that the new name survives a power cut. */
async function renameInto(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  for (let attempt = 0; ; attempt++) {
    await mkdir(folder, { recursive: true });
    try {
      await rename(from, to);
      break;
    } catch (error) {
      // An eviction may remove the emptied folder between the two calls.
      if (attempt === 3 || !isAbsence(error)) throw error;
    }
  }
  await flush(folder);
}

/** What was written to a file, or to a folder, survives a power cut from now on. */
async function flush(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}

/** Removes a file, and its folder where that is empty now. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rmdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST" && !isAbsence(error)) throw error;
  });
}

function ifAbsent(error: unknown): undefined {
  if (!isAbsence(error)) throw error;
}

function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
