import { statfs } from "node:fs/promises";
import type { CacheIndex, Entry } from "./cacheIndex.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import { removeFile } from "./files.ts";
import { withDiskTimeout } from "./withDiskTimeout.ts";

/** On a full disk, symcaches that were unused for this long are evicted although the cap is kept. */
const longUnusedMs = 3_600_000;
/** A disk with less free space counts as nearly full. */
const nearlyFullBytes = 1e9;

export interface DiskCacheEvents {
  evicted: () => void;
  /** The total size of all symcaches may have changed. */
  used: (bytes: number) => void;
  /** Background work failed with a disk error. */
  failed: (error: unknown) => void;
}

interface Deps extends DiskCacheEvents {
  root: string;
  maxBytes: number;
  index: CacheIndex;
  pathOf: (key: string) => string;
}

/** A symcache that is being written. */
interface Reservation {
  key: string;
  bytes: number;
  released: Promise<void>;
}

/** Keeps the cap, and frees space on a full disk, by evicting the least recently used symcaches. */
export class DiskSpace {
  readonly #deps: Deps;
  readonly #reservations = new Set<Reservation>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Frees space for a file that is about to be written. Call the result once it is in the index or given up. Throws a DiskTimeout. */
  async reserve(key: string, bytes: number): Promise<() => void> {
    // Files that are being written can't be evicted, so wait until enough of them are done.
    while (sumBytes(this.#reservations) + bytes > this.#deps.maxBytes)
      await withDiskTimeout(
        "waiting for other writes",
        Promise.race(this.#releases()),
        retryPolicy.diskSpaceTimeoutMs,
      );
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const reservation = { key, bytes, released };
    this.#reservations.add(reservation);
    const release = () => {
      this.#reservations.delete(reservation);
      resolve();
      this.#deps.used(this.#deps.index.bytes);
    };
    try {
      await withDiskTimeout("eviction", this.enforceCap());
      await withDiskTimeout("eviction", this.#freeDisk(bytes));
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Resolves when no file is being written. */
  async released(): Promise<void> {
    await Promise.all(this.#releases());
  }

  /** Counts files that are being written. */
  async enforceCap(): Promise<void> {
    const { index, maxBytes, used } = this.#deps;
    // A file that was just renamed may be in the index already.
    const unnamed = [...this.#reservations].filter(({ key }) => !index.get(key));
    await this.#evictUntil(() => index.bytes + sumBytes(unnamed) <= maxBytes);
    used(index.bytes);
  }

  /** Throws if the disk is nearly full although the cache may still grow. */
  async checkDisk(): Promise<void> {
    const { root, index, maxBytes } = this.#deps;
    const { bavail, bsize } = await statfs(root);
    const freeBytes = bavail * bsize;
    if (freeBytes < Math.min(nearlyFullBytes, maxBytes - index.bytes))
      throw new Error(
        `disk nearly full: ${Math.floor(freeBytes / 1e6)} MB free, and the cache may still grow`,
      );
  }

  #releases(): Promise<void>[] {
    return [...this.#reservations].map(({ released }) => released);
  }

  /** If the disk has less than `bytes` free, evicts symcaches that were not used for long. */
  async #freeDisk(bytes: number): Promise<void> {
    const { root, index } = this.#deps;
    const disk = await statfs(root).catch(() => undefined);
    // Some file systems report a size of 0.
    if (!disk || disk.blocks === 0) return;
    const targetBytes = index.bytes - (bytes - disk.bavail * disk.bsize);
    await this.#evictUntil(({ used }) => index.bytes <= targetBytes || Date.now() - used < longUnusedMs);
  }

  /** Evicts the least recently used symcaches one by one until `isEnough`, which is asked about the next one. */
  async #evictUntil(isEnough: (next: Entry) => boolean): Promise<void> {
    const { index, pathOf, evicted, failed } = this.#deps;
    const removals = [];
    for (const [key, entry] of index) {
      if (isEnough(entry)) break;
      index.delete(key);
      removals.push(removeFile(pathOf(key)).then(evicted, failed));
    }
    await Promise.all(removals);
  }
}

function sumBytes(reservations: Iterable<Reservation>): number {
  let sum = 0;
  for (const { bytes } of reservations) sum += bytes;
  return sum;
}
