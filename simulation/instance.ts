import { LRUCache } from "lru-cache";
import type { Clock } from "./clock.ts";
import { Semaphore } from "./semaphore.ts";
import {
  conversionSeconds,
  downloadBytes,
  fetchSeconds,
  packedBytes,
  uploadSeconds,
  type Speeds,
} from "./speeds.ts";

/** What the instances of a fleet have in common. */
export interface FleetState {
  clock: Clock;
  speeds: Speeds;
  /** Bytes of each module's symcache. */
  sizes: number[];
  folderBytes: number;
  maxDownloads: number;
  converters: number;
  /** Modules in the shared cache; undefined: there is no shared cache. */
  store: Set<number> | undefined;
  work: Work;
  /** Adds random jitter to a duration. */
  jitter: (seconds: number) => number;
}

/** Work done by all instances together. */
export interface Work {
  conversions: number;
  /** Conversions that began while another instance was converting or uploading the same module. */
  duplicates: number;
  downloadedBytes: number;
  /** Bytes fetched from the shared cache. */
  fetchedBytes: number;
  /** For each module, the number of instances that are converting or uploading it. */
  inProgress: Map<number, number>;
}

/** An instance of the service whose cache folder is empty at first. */
export class Instance {
  readonly #fleet: FleetState;
  readonly #folder: LRUCache<number, number>;
  /** The callbacks that wait for a module. */
  readonly #flights = new Map<number, (() => void)[]>();
  readonly #downloads: Semaphore;
  readonly #converters: Semaphore;
  readonly #uploads = new Semaphore(1);

  constructor(fleet: FleetState) {
    this.#fleet = fleet;
    this.#folder = new LRUCache({ maxSize: fleet.folderBytes, sizeCalculation: (bytes) => bytes });
    this.#downloads = new Semaphore(fleet.maxDownloads);
    this.#converters = new Semaphore(fleet.converters);
  }

  /** Returns whether the folder has the module. If not, `onReady` is called once it has. */
  get(module: number, onReady: () => void): boolean {
    if (this.#folder.get(module) !== undefined) return true;
    const waiting = this.#flights.get(module);
    if (waiting) {
      waiting.push(onReady);
      return false;
    }
    this.#flights.set(module, [onReady]);
    this.#downloads.acquire(() => this.#resolve(module));
    return false;
  }

  #resolve(module: number): void {
    const { clock, store, speeds, work, sizes, jitter } = this.#fleet;
    const bytes = sizes[module]!;
    if (store?.has(module)) {
      work.fetchedBytes += packedBytes(bytes);
      clock.in(jitter(fetchSeconds(bytes, speeds)), () => this.#finish(module));
      return;
    }
    const others = work.inProgress.get(module) ?? 0;
    work.inProgress.set(module, others + 1);
    work.conversions++;
    if (others > 0) work.duplicates++;
    work.downloadedBytes += downloadBytes(bytes);
    const latency = (store ? speeds.store.latency : 0) + speeds.source.latency;
    clock.in(jitter(latency), () => this.#converters.acquire(() => this.#convert(module)));
  }

  #convert(module: number): void {
    const { clock, store, speeds, sizes, jitter } = this.#fleet;
    clock.in(jitter(conversionSeconds(sizes[module]!, speeds)), () => {
      this.#converters.release();
      this.#finish(module);
      if (store) this.#uploads.acquire(() => this.#upload(module, store));
      else this.#endProgress(module);
    });
  }

  #upload(module: number, store: Set<number>): void {
    const { clock, speeds, sizes, jitter } = this.#fleet;
    clock.in(jitter(uploadSeconds(sizes[module]!, speeds)), () => {
      this.#uploads.release();
      store.add(module);
      this.#endProgress(module);
    });
  }

  #endProgress(module: number): void {
    const { inProgress } = this.#fleet.work;
    inProgress.set(module, inProgress.get(module)! - 1);
  }

  #finish(module: number): void {
    this.#folder.set(module, this.#fleet.sizes[module]);
    const waiting = this.#flights.get(module) ?? [];
    this.#flights.delete(module);
    this.#downloads.release();
    for (const onReady of waiting) onReady();
  }
}
