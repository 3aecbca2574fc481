import { LRUCache } from "lru-cache";
import type { Clock } from "./clock.ts";
import { Places } from "./places.ts";
import {
  convertingTime,
  fetchingTime,
  keptInStore,
  sentBySource,
  storingTime,
  type Speeds,
} from "./speeds.ts";

/** What all instances of a fleet have in common. */
export interface Surroundings {
  clock: Clock;
  speeds: Speeds;
  /** Bytes of each module's symcache. */
  sizes: number[];
  folderBytes: number;
  maxDownloads: number;
  converters: number;
  /** Modules that the store has; undefined where there is no store. */
  store: Set<number> | undefined;
  work: Work;
  /** About so many seconds. */
  about: (seconds: number) => number;
}

/** What was done, by all instances together. */
export interface Work {
  conversions: number;
  /** Of these: begun while another instance was at it, or while the store did not have the other's yet. */
  atOnce: number;
  bytesFromSource: number;
  bytesFromStore: number;
  /** How many instances are at a module, or about to put it into the store. */
  underWay: Map<number, number>;
}

/** A service with a folder of its own, which is empty. */
export class Instance {
  readonly #in: Surroundings;
  readonly #folder: LRUCache<number, number>;
  /** Who waits for a module that is being made. */
  readonly #flights = new Map<number, (() => void)[]>();
  readonly #downloads: Places;
  readonly #converters: Places;
  /** One at a time. */
  readonly #uploads = new Places(1);

  constructor(surroundings: Surroundings) {
    this.#in = surroundings;
    this.#folder = new LRUCache({
      maxSize: surroundings.folderBytes,
      sizeCalculation: (bytes) => bytes,
    });
    this.#downloads = new Places(surroundings.maxDownloads);
    this.#converters = new Places(surroundings.converters);
  }

  /** Whether the folder has it. Where it doesn't, `there` is called once it does. */
  get(module: number, there: () => void): boolean {
    if (this.#folder.get(module) !== undefined) return true;
    const waiting = this.#flights.get(module);
    if (waiting) {
      waiting.push(there);
      return false;
    }
    this.#flights.set(module, [there]);
    this.#downloads.take(() => this.#obtain(module));
    return false;
  }

  #obtain(module: number): void {
    const { clock, store, speeds, work, sizes, about } = this.#in;
    const bytes = sizes[module]!;
    if (store?.has(module)) {
      work.bytesFromStore += keptInStore(bytes);
      clock.in(about(fetchingTime(bytes, speeds)), () => this.#land(module));
      return;
    }
    const others = work.underWay.get(module) ?? 0;
    work.underWay.set(module, others + 1);
    work.conversions++;
    if (others > 0) work.atOnce++;
    work.bytesFromSource += sentBySource(bytes);
    const asking = (store ? speeds.store.latency : 0) + speeds.source.latency;
    clock.in(about(asking), () => this.#converters.take(() => this.#convert(module)));
  }

  #convert(module: number): void {
    const { clock, store, speeds, sizes, about } = this.#in;
    const bytes = sizes[module]!;
    clock.in(about(convertingTime(bytes, speeds)), () => {
      this.#converters.giveBack();
      this.#land(module);
      if (store) this.#uploads.take(() => this.#upload(module, store));
      else this.#leave(module);
    });
  }

  #upload(module: number, store: Set<number>): void {
    const { clock, speeds, sizes, about } = this.#in;
    clock.in(about(storingTime(sizes[module]!, speeds)), () => {
      this.#uploads.giveBack();
      store.add(module);
      this.#leave(module);
    });
  }

  /** It is no longer under way here. */
  #leave(module: number): void {
    const { underWay } = this.#in.work;
    underWay.set(module, underWay.get(module)! - 1);
  }

  #land(module: number): void {
    this.#folder.set(module, this.#in.sizes[module]);
    const waiting = this.#flights.get(module) ?? [];
    this.#flights.delete(module);
    this.#downloads.giveBack();
    for (const there of waiting) there();
  }
}
