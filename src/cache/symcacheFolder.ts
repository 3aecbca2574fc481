import { randomBytes } from "node:crypto";
import {
  lstat,
  mkdir,
  open,
  readdir,
  rm,
  statfs,
  utimes,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { flush, ifAbsent, removeFile, renameInto } from "./durableFiles.ts";
import { listSymcaches, suffix } from "./listSymcaches.ts";
import { sweepTemporaryFolders } from "./temporaryFolders.ts";

/** Bump when the bytes of a symcache file change their meaning. */
const version = "symcache-v1";
/** Milliseconds between two notes on disk that a file is in use. */
const touchInterval = 60_000;
/** Milliseconds that the start waits for stock to be taken; that of a very large folder goes on in the background. */
const longestStart = 500;
/** Where others write, stock is taken before each write; that of a large folder takes one part in so many of the time. */
const stockTakingPart = 10;
const largeFolder = 10_000;
/** Bytes: a disk with less free is nearly full. */
const fullDisk = 1e9;

/** Times are in milliseconds since 1970. */
interface Entry {
  bytes: number;
  used: number;
  /** When its last use was noted on disk. */
  touched: number;
}

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
  readonly #temporary = `${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #bytesBeingWritten = 0;
  readonly #writes = new Set<Promise<void>>();
  #filesWritten = 0;
  readonly #rescanInterval: number;
  #rescan: NodeJS.Timeout | undefined;
  #ready: Promise<void> | undefined;
  #stockTaking: Promise<void> | undefined;
  /** On the performance clock. */
  #nextStockTaking = 0;
  /** What was removed while stock is taken, and may be in it. */
  readonly #removed = new Set<string>();

  /** `rescanInterval` in milliseconds. */
  constructor(root: string, maxBytes: number, rescanInterval: number, events: FolderEvents) {
    this.#root = root;
    this.#maxBytes = maxBytes;
    this.#rescanInterval = rescanInterval;
    this.#events = events;
  }

  /** Makes the folder ready: takes stock, removes other versions and what dead processes left. */
  async open(): Promise<void> {
    this.#rescan = setInterval(
      () => void this.#inBackground(this.#lookAround()),
      this.#rescanInterval,
    ).unref();
    this.#ready = this.#inBackground(this.#cleanUp());
    await Promise.race([this.#ready, setTimeout(longestStart, undefined, { ref: false })]);
  }

  /** The symcache of `key`, which thereby is the most recently used, or undefined. */
  async get(key: string): Promise<FoundSymcache | undefined> {
    const path = this.#path(key);
    let entry = this.#entries.get(key);
    if (!entry) {
      // Another process may have put it there.
      const found = await lstat(path).catch(ifAbsent);
      if (!found?.isFile()) return undefined;
      entry = this.#entries.get(key) ?? { bytes: found.size, used: 0, touched: found.mtimeMs };
    }
    entry.used = Date.now();
    this.#remember(key, entry);
    if (entry.used - entry.touched > touchInterval) void this.#inBackground(this.#touch(key, entry));
    return { path, entry };
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
    await this.#knowOthers();
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
  async #keep(key: string, bytes: number, temporary: string): Promise<FoundSymcache> {
    try {
      await flush(temporary);
      const path = this.#path(key);
      await renameInto(temporary, path);
      const entry = { bytes, used: Date.now(), touched: Date.now() };
      this.#remember(key, entry);
      return { path, entry };
    } catch (error) {
      await rm(temporary, { force: true }).catch(this.#events.failed);
      throw error;
    }
  }

  /** Removes a symcache that is damaged or gone, unless it was evicted or made again since it was found. */
  async remove(key: string, { path, entry }: FoundSymcache): Promise<void> {
    if (this.#entries.get(key) !== entry) return;
    this.#forget(key);
    this.#events.used(this.#bytes);
    await this.#inBackground(rm(path, { force: true, recursive: true }));
  }

  /** Writes, flushes and removes a small file. Throws what the disk says. */
  async checkWritable(): Promise<void> {
    const path = this.#temporaryPath();
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "probe", { flush: true });
    await rm(path);
  }

  /** An empty file that has no name, and is gone once it is closed. Throws what the disk says. */
  async openTemporaryFile(): Promise<FileHandle> {
    const path = this.#temporaryPath();
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "wx+");
    await rm(path);
    return file;
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
    this.#removed.delete(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
    if (this.#stockTaking) this.#removed.add(key);
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

  /** Other processes add, evict and die. */
  async #lookAround(): Promise<void> {
    await sweepTemporaryFolders(join(this.#root, "tmp"), this.#temporary);
    await this.#takeStock();
  }

  /** Learns what others wrote meanwhile, lest all of them together go over the cap. */
  async #knowOthers(): Promise<void> {
    await this.#ready;
    // It may have looked before others wrote.
    if (this.#stockTaking) await this.#inBackground(this.#stockTaking);
    if (performance.now() < this.#nextStockTaking) return;
    const writers = (await readdir(join(this.#root, "tmp")).catch(() => undefined)) ?? [];
    if (writers.some((name) => name !== this.#temporary)) await this.#inBackground(this.#takeStock());
  }

  /** Brings the index up to date with the disk. */
  #takeStock(): Promise<void> {
    const start = performance.now();
    this.#stockTaking ??= this.#compare().finally(() => {
      this.#stockTaking = undefined;
      this.#removed.clear();
      const rest = this.#entries.size > largeFolder ? (performance.now() - start) * stockTakingPart : 0;
      this.#nextStockTaking = performance.now() + rest;
    });
    return this.#stockTaking;
  }

  async #compare(): Promise<void> {
    const before = [...this.#entries.keys()];
    const found = await listSymcaches(join(this.#root, version));
    const gone = before.filter((key) => !found.has(key));
    const removed = new Set([...this.#removed, ...gone]);
    const entries = new Map<string, Entry>();
    for (const [key, { bytes, used }] of found)
      if (!removed.has(key)) entries.set(key, { bytes, used, touched: used });
    for (const [key, entry] of this.#entries) {
      // Another process may have used it since.
      if (removed.has(key)) continue;
      entry.used = Math.max(entry.used, entries.get(key)?.used ?? 0);
      entries.set(key, entry);
    }
    this.#entries.clear();
    this.#bytes = 0;
    for (const [key, entry] of [...entries].toSorted(([, a], [, b]) => a.used - b.used))
      this.#remember(key, entry);
    await this.#evict();
    this.#events.used(this.#bytes);
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
