import { setImmediate } from "node:timers/promises";

export const fileSuffix = ".symc";
/** Scanned files that are merged before other work may run. */
const mergeBatch = 5000;

/** The symcache files that a scan found, as columns; least recently used first. */
export interface Listing {
  /** `<debug filename>/<DEBUG ID>` */
  keys: string[];
  bytes: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  used: Float64Array<ArrayBuffer>;
  /** The first error, if part of the folder could not be read. Files there are not listed. */
  error: string | undefined;
}

/** A file in the cache; a file that is written again gets a new entry. Times are in milliseconds since 1970. */
export interface Entry {
  bytes: number;
  used: number;
  /** The last use that was recorded on disk. */
  touched: number;
}

/** What is known about the folder: its files by key, least recently used first, and their total size. */
export class CacheIndex {
  #entries = new Map<string, Entry>();
  #bytes = 0;
  readonly #createdMs = Date.now();
  /** Keys set or deleted during a scan, which may have seen their old state. */
  #changed: Set<string> | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Makes the entry the most recently used one. */
  set(key: string, entry: Entry): void {
    this.delete(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
    this.#changed?.add(key);
  }

  [Symbol.iterator](): MapIterator<[string, Entry]> {
    return this.#entries.entries();
  }

  /** Replaces the entries by the listing, except for keys that are set or deleted here during the scan. */
  async rescan(list: () => Promise<Listing>): Promise<void> {
    const changed = (this.#changed = new Set<string>());
    try {
      const { keys, bytes, used } = await list();
      this.#keepOrder();
      const gone = new Set(this.#entries.keys());
      for (const [index, key] of keys.entries()) {
        if (index % mergeBatch === mergeBatch - 1) await setImmediate();
        gone.delete(key);
        if (!changed.has(key)) this.#merge(key, bytes[index] ?? 0, used[index] ?? 0);
      }
      for (const key of gone) if (!changed.has(key)) this.delete(key);
      this.#entries = new Map([...this.#entries].toSorted(([, a], [, b]) => a.used - b.used));
    } finally {
      this.#changed = undefined;
    }
  }

  /** After the clock was set back, older entries may have later times than newer ones: cap them to keep the order. */
  #keepOrder(): void {
    let latest = Date.now();
    for (const entry of [...this.#entries.values()].toReversed())
      latest = entry.used = Math.min(entry.used, latest);
  }

  #merge(key: string, bytes: number, usedOnDisk: number): void {
    const now = Date.now();
    // A time in the future comes from a clock that was wrong, here or on another host. Such a file counts as used before
    // this process started.
    const isPast = usedOnDisk <= now;
    const entry = this.#entries.get(key) ?? {
      bytes: 0,
      used: isPast ? usedOnDisk : this.#createdMs,
      touched: usedOnDisk,
    };
    this.#entries.set(key, entry);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.touched = usedOnDisk;
    // Another process may have used it since.
    entry.used = Math.min(isPast ? Math.max(entry.used, usedOnDisk) : entry.used, now);
  }
}
