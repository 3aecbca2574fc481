import { setImmediate } from "node:timers/promises";
import type { Stock } from "./listSymcaches.ts";

/** Files of the stock that are taken over before other work has its turn. */
const slice = 5000;

/** A symcache that is in the folder; another one for each time that it is made. Times are in milliseconds since 1970. */
export interface Entry {
  bytes: number;
  used: number;
  /** When its last use was noted on disk. */
  touched: number;
}

/** What is known of the folder: its symcaches by key, least recently used first, and the sum of their bytes. */
export class SymcacheIndex {
  #entries = new Map<string, Entry>();
  #bytes = 0;
  /** While stock is taken: what was set or deleted since, of which the disk may have told the state before. */
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

  /** Makes it the most recently used. */
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

  /** Takes over what `list` finds on disk, except of what was set or deleted here meanwhile. */
  async takeStock(list: () => Promise<Stock>): Promise<void> {
    const changed = (this.#changed = new Set<string>());
    try {
      const { keys, bytes, used } = await list();
      this.#keepOrder();
      const gone = new Set(this.#entries.keys());
      for (const [number, key] of keys.entries()) {
        if (number % slice === slice - 1) await setImmediate();
        gone.delete(key);
        if (!changed.has(key)) this.#update(key, bytes[number] ?? 0, used[number] ?? 0);
      }
      for (const key of gone) if (!changed.has(key)) this.delete(key);
      this.#entries = new Map([...this.#entries].toSorted(([, a], [, b]) => a.used - b.used));
    } finally {
      this.#changed = undefined;
    }
  }

  /** What was used before a clock was set back was used no later than what stands behind it. */
  #keepOrder(): void {
    let latest = Date.now();
    for (const entry of [...this.#entries.values()].toReversed())
      latest = entry.used = Math.min(entry.used, latest);
  }

  #update(key: string, bytes: number, usedOnDisk: number): void {
    const now = Date.now();
    // A time to come is the doing of a clock that was wrong, here or there.
    const isPast = usedOnDisk <= now;
    const entry = this.#entries.get(key) ?? {
      bytes: 0,
      used: isPast ? usedOnDisk : now,
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
