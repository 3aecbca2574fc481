import { LRUCache } from "lru-cache";

/** A symcache that was looked up this often is worth being held, also in place of one that wasn't used meanwhile. */
const usesToHold = 3;
/** Symcaches whose last uses are known. */
const mostKnown = 10_000;

/** What a lookup says of a symcache: whether it is held in memory or on the way, and the bytes that this takes. */
export interface Holding {
  isHeld: boolean;
  bytes: number;
}

interface Held {
  bytes: number;
  lastUse: number;
  /** Whether the thread has begun: lookups that were under way before don't know of it. */
  hasBegun: boolean;
}

/** Decides which symcaches are held in memory, of all threads. The least recently used goes first. */
export class MemoryBudget {
  readonly #bytes: number;
  /** Least recently used first. */
  #held = new Map<string, Held>();
  readonly #lastUses = new LRUCache<string, number[]>({ max: mostKnown });
  #uses = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Whether a symcache is held in memory, or will soon be. */
  isHeld(path: string): boolean {
    return this.#held.has(path);
  }

  /** Notes a lookup in a symcache. The answer is what must now be released, and whether it must be held. */
  use(path: string, { isHeld, bytes }: Holding): { release: string[]; hold: boolean } {
    const now = ++this.#uses;
    const held = this.#held.get(path);
    if (held && (isHeld || !held.hasBegun)) {
      this.#held.delete(path);
      this.#held.set(path, { ...held, lastUse: now, bytes: Math.max(bytes, held.bytes) });
      return { release: this.#makeRoom(0, now + 1), hold: false };
    }
    // What isn't held any more was damaged, its thread has crashed, or its module has got another thread since.
    const lost = this.#held.delete(path) ? [path] : [];
    const lastUses = [...(this.#lastUses.get(path) ?? []), now].slice(-usesToHold);
    this.#lastUses.set(path, lastUses);
    const [since = now] = lastUses;
    const isWorthIt = !isHeld && lastUses.length === usesToHold;
    if (!isWorthIt || bytes > this.#bytes - this.#bytesUsedSince(since))
      return { release: lost, hold: false };
    const release = [...lost, ...this.#makeRoom(bytes, since)];
    this.#held.set(path, { bytes, lastUse: now, hasBegun: false });
    this.#lastUses.delete(path);
    return { release, hold: true };
  }

  /**
   * Whether a symcache that was in use before the service started is to be held: where there is room.
   * To be asked of what was used last first.
   */
  resume(path: string, bytes: number): boolean {
    const fits = bytes <= this.#bytes - this.#bytesUsedSince(0);
    if (!fits || this.#held.has(path)) return false;
    this.#held = new Map([[path, { bytes, lastUse: 0, hasBegun: false }], ...this.#held]);
    return true;
  }

  /** Notes that a symcache is being held now, or that it can't be. */
  begun(path: string, couldBegin: boolean): void {
    const held = this.#held.get(path);
    if (held && couldBegin) held.hasBegun = true;
    else this.#held.delete(path);
  }

  #bytesUsedSince(use: number): number {
    let sum = 0;
    for (const { bytes, lastUse } of this.#held.values()) if (lastUse >= use) sum += bytes;
    return sum;
  }

  /** Gives up what was last used before `use`, until there is room for `bytes` more. */
  #makeRoom(bytes: number, use: number): string[] {
    const release = [];
    let sum = this.#bytesUsedSince(0) + bytes;
    for (const [path, held] of this.#held) {
      if (sum <= this.#bytes || held.lastUse >= use) break;
      this.#held.delete(path);
      sum -= held.bytes;
      release.push(path);
    }
    return release;
  }
}
