import { statfs } from "node:fs/promises";
import { removeFile } from "./durableFiles.ts";
import { inTime } from "./withDiskTimeout.ts";
import type { Entry, SymcacheIndex } from "./cacheIndex.ts";

/** Milliseconds without a use after which a symcache makes room on a full disk. */
const longUnused = 3_600_000;
/** Bytes: a disk with less free is nearly full. */
const fullDisk = 1e9;
/** Milliseconds to wait for others to be written where the cap has no room for all at once. */
const longestTurn = 30_000;

interface Parts {
  root: string;
  maxBytes: number;
  index: SymcacheIndex;
  pathOf: (key: string) => string;
  evicted: () => void;
  /** The sum of all symcaches, whenever it may have changed. */
  used: (bytes: number) => void;
  failed: (error: unknown) => void;
}

/** A symcache that is being written. */
interface Reservation {
  key: string;
  bytes: number;
  ended: Promise<void>;
}

/** Room for symcaches: as the cap says and as the disk has it. What was used longest ago goes first. */
export class Room {
  readonly #parts: Parts;
  readonly #reservations = new Set<Reservation>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Makes room for what is to be written, until that is disposed of: in the folder by then, or given up. Throws a DiskHangs. */
  async reserve(key: string, bytes: number): Promise<Disposable> {
    // What is being written can't be evicted: where that leaves too little room, others must end first.
    while (sum(this.#reservations) + bytes > this.#parts.maxBytes)
      await inTime("waiting for others", Promise.race(this.#ends()), longestTurn);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const reservation = { key, bytes, ended };
    this.#reservations.add(reservation);
    const end = () => {
      this.#reservations.delete(reservation);
      resolve();
      this.#parts.used(this.#parts.index.bytes);
    };
    try {
      await inTime("evicting", this.keepCap());
      await inTime("evicting", this.#makeRoomOnDisk(bytes));
      return { [Symbol.dispose]: end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Resolves when nothing is being written. */
  async released(): Promise<void> {
    await Promise.all(this.#ends());
  }

  /** With what is being written. */
  async keepCap(): Promise<void> {
    const { index, maxBytes, used } = this.#parts;
    // One that has just got its name may be among the symcaches already.
    const unnamed = [...this.#reservations].filter(({ key }) => !index.get(key));
    await this.#evictUntil(() => index.bytes + sum(unnamed) <= maxBytes);
    used(index.bytes);
  }

  /** Throws where the disk is nearly full before the folder is. */
  async checkDisk(): Promise<void> {
    const { root, index, maxBytes } = this.#parts;
    const { bavail, bsize } = await statfs(root);
    const free = bavail * bsize;
    if (free < Math.min(fullDisk, maxBytes - index.bytes))
      throw new Error(`${Math.floor(free / 1e6)} MB are free, and the folder may still grow`);
  }

  #ends(): Promise<void>[] {
    return [...this.#reservations].map(({ ended }) => ended);
  }

  /** Where the disk is full before the folder is, what nobody has used for long makes room for what is wanted now. */
  async #makeRoomOnDisk(bytes: number): Promise<void> {
    const { root, index } = this.#parts;
    const disk = await statfs(root).catch(() => undefined);
    // Some file systems don't know how large they are.
    if (!disk || disk.blocks === 0) return;
    const enough = index.bytes - (bytes - disk.bavail * disk.bsize);
    await this.#evictUntil(({ used }) => index.bytes <= enough || Date.now() - used < longUnused);
  }

  /** Removes what was used longest ago, symcache by symcache, until `isEnough` says so of the next. */
  async #evictUntil(isEnough: (next: Entry) => boolean): Promise<void> {
    const { index, pathOf, evicted, failed } = this.#parts;
    const removals = [];
    for (const [key, entry] of index) {
      if (isEnough(entry)) break;
      index.delete(key);
      removals.push(removeFile(pathOf(key)).then(evicted, failed));
    }
    await Promise.all(removals);
  }
}

function sum(reservations: Iterable<Reservation>): number {
  let bytes = 0;
  for (const reservation of reservations) bytes += reservation.bytes;
  return bytes;
}
