import { performance } from "node:perf_hooks";
import { LRUCache } from "lru-cache";
import { abortable } from "../async/abortable.ts";
import { QueueFull, Semaphore } from "../async/semaphore.ts";
import type { Config } from "../config/readConfig.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { DiskCache } from "../diskCache/diskCache.ts";
import { unservableReason, type ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { SharedCache } from "../sharedCache/sharedCache.ts";
import type { Source } from "../sources/source.ts";
import type { Conversion, ConverterPool } from "../symcache/convert/converterPool.ts";
import { ResultTooLarge, type LookupUsage } from "../symcache/lookup/locations.ts";
import type { LookupPool } from "../symcache/lookup/lookupPool.ts";
import { convertFromSource } from "./convertFromSource.ts";
import { lookUpFetched, lookUpInFile, type Found, type Query } from "./lookUpOffsets.ts";
import {
  combineFailures,
  failed,
  failureOf,
  recordOutcome,
  type Failure,
  type Outcome,
  type Timings,
} from "./outcome.ts";
import { storeSymcache, type ReadableSymcache } from "./storeSymcache.ts";

export interface ModuleLookup {
  result: Found | Failure;
  /** Until it was known that the disk cache lacks the symcache or, on a hit, until that was looked up. */
  cacheLookupMs: number;
  /** Only after a miss. */
  timings?: Timings;
}

/** What one request has used up, and what it may still use. */
export interface Usage extends LookupUsage {
  /** Modules that were not in the disk cache. */
  misses: number;
}

interface Deps {
  diskCache: DiskCache;
  sharedCache?: SharedCache | undefined;
  sources: Source[];
  converters: ConverterPool;
  lookups: LookupPool;
  metrics: Metrics;
  log: Logger;
  /** Whether so many requests are in flight that no more of them may wait for a download. */
  isCrowded: () => boolean;
  config: Pick<Config, "sources" | "conversion">;
}

const maxRememberedFailures = 100_000;

/**
 * Finds the symcache of a module and looks up offsets in it. It asks, in this order: the disk cache, the failures of the
 * last minutes, the shared cache, and one source after the other.
 */
export class Resolver implements Disposable {
  readonly #deps: Deps;
  readonly #ending = new AbortController();
  readonly #downloads: Semaphore;
  /** By module and whether the symcache goes to the disk cache. */
  readonly #flights = new Map<string, Promise<Outcome>>();
  readonly #failures = new LRUCache<string, Failure>({ max: maxRememberedFailures });
  #hits = 0;
  #misses = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { maxDownloads, maxQueuedDownloads } = deps.config.sources;
    this.#downloads = new Semaphore(maxDownloads, maxQueuedDownloads);
  }

  /** Modules that wait for a download slot. */
  get waiting(): number {
    return this.#downloads.waiting;
  }

  /** Of the disk cache, so far. */
  get counts(): { hits: number; misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** Gives up all downloads. */
  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  /** Looks up offsets of a module. Throws a ResultTooLarge, or the reason of the usage's signal. */
  async lookUp(module: ModuleId, offsets: Uint32Array<ArrayBuffer>, usage: Usage): Promise<ModuleLookup> {
    const unservable = unservableReason(module);
    if (unservable !== undefined)
      return { result: { status: "not_found", reason: unservable, ttlMs: 0 }, cacheLookupMs: 0 };

    const query = { module, offsets, usage };
    const start = performance.now();
    const hit = await this.#lookUpInDiskCache(query);
    const cacheLookupMs = performance.now() - start;
    if (hit) this.#hits++;
    else this.#misses++;
    if (hit) return { result: hit, cacheLookupMs };

    // A single body can name so many modules that it would keep all sources busy for hours.
    const { maxDownloads, maxQueuedDownloads } = this.#deps.config.sources;
    if (++usage.misses > maxDownloads + maxQueuedDownloads) {
      const reason = "the request has too many modules that are not in the disk cache";
      return { result: this.#overloaded(module, reason), cacheLookupMs };
    }

    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === retryPolicy.symcacheAttempts;
      const outcome = await abortable(this.#fetch(module, !isLast, usage.owner), usage.signal);
      const saveMs = "saveMs" in outcome ? outcome.saveMs : 0;
      const timings = { downloads: outcome.downloads, saveMs };
      if ("reason" in outcome) return { result: outcome, cacheLookupMs, timings };
      const found = await lookUpFetched(query, outcome, this.#deps);
      if (found) return { result: found, cacheLookupMs, timings };
      if (isLast) return { result: failed("the symcache can't be read back"), cacheLookupMs, timings };
    }
  }

  async #lookUpInDiskCache(query: Query): Promise<Found | Failure | undefined> {
    const { diskCache, metrics, log } = this.#deps;
    const start = performance.now();
    let result: "hit" | "miss" | "error" = "miss";
    try {
      const file = await diskCache.get(query.module.key);
      if (!file) return undefined;
      result = "error";
      const found = await lookUpInFile(query, file, "cached", this.#deps);
      if (found?.status === "cached") result = "hit";
      return found;
    } catch (error) {
      if (error instanceof ResultTooLarge) result = "hit";
      if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
      result = "error";
      // Neither the message nor the module: until there is a symcache, its name is only what a client wrote.
      log.error({ code: error.code }, "disk cache can't be read");
      return undefined;
    } finally {
      metrics.histogram("diskcache.get", performance.now() - start, { result });
    }
  }

  /** Gets a symcache that is not in the disk cache, and stores it there if `keep` is set. Concurrent calls share a flight. */
  async #fetch(module: ModuleId, keep: boolean, owner: unknown): Promise<Outcome> {
    const remembered = this.#failures.get(module.key);
    if (remembered) return { ...remembered, downloads: [], faults: [] };
    if (this.#deps.isCrowded()) return this.#overloaded(module, "too many requests are in flight");
    const key = `${module.key} ${keep}`;
    const current = this.#flights.get(key);
    const joined = current && (await current);
    // The flight of another request may lose its place in the queue because that request has so many.
    if (joined && joined.status !== "overloaded") return joined;
    const retried = this.#flights.get(key);
    if (retried && retried !== current) return retried;
    const flight = this.#queue(module, keep, owner);
    this.#flights.set(key, flight);
    const land = () => this.#flights.get(key) === flight && this.#flights.delete(key);
    // Until a symcache is in the disk cache, further requests for it join its flight.
    void flight.then((outcome) => ("symcache" in outcome ? outcome.flushed : undefined)).then(land, land);
    return flight;
  }

  async #queue(module: ModuleId, keep: boolean, owner: unknown): Promise<Outcome> {
    const { metrics } = this.#deps;
    try {
      const flight = this.#downloads.run(() => this.#fetchNow(module, keep), owner);
      metrics.gauge("downloader.queue", this.waiting);
      return await flight;
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      return this.#overloaded(module, "too many modules are waiting for a download");
    } finally {
      metrics.gauge("downloader.queue", this.waiting);
    }
  }

  async #fetchNow(module: ModuleId, keep: boolean): Promise<Outcome> {
    // Without `keep`, symcaches can't be read back from the disk, where the shared cache would put them.
    const shared = keep ? await this.#fetchShared(module) : undefined;
    const outcome = shared ?? (await this.#fetchFromSources(module, keep));
    recordOutcome(module.key, outcome, this.#deps);
    if ("reason" in outcome && outcome.ttlMs > 0) {
      const { status, reason, ttlMs } = outcome;
      this.#failures.set(module.key, { status, reason, ttlMs }, { ttl: ttlMs });
    }
    return outcome;
  }

  /** Undefined if the shared cache has no symcache, or fails. */
  async #fetchShared(module: ModuleId): Promise<Outcome | undefined> {
    const stored = await this.#deps.sharedCache?.find(module, (symcache) =>
      storeSymcache(module, symcache, this.#deps),
    );
    return stored && { status: "cached", ...stored, downloads: [], faults: [] };
  }

  async #fetchFromSources(module: ModuleId, keep: boolean): Promise<Outcome> {
    const { sources, sharedCache, converters, config } = this.#deps;
    const store = async (conversion: Conversion): Promise<ReadableSymcache> => {
      const stored = keep ? await storeSymcache(module, conversion, this.#deps) : undefined;
      return stored ?? { symcache: await conversion.take(), flushed: Promise.resolve(undefined), saveMs: 0 };
    };
    const { downloads, faults }: Pick<Outcome, "downloads" | "faults"> = { downloads: [], faults: [] };
    const ttlMs = config.sources.notFoundTtlMs;
    const notFound: Failure = { status: "not_found", reason: "no source has a sym file", ttlMs };
    let failure = notFound;
    for (const source of sources) {
      const deps = { source, converters, config };
      const conversion = await convertFromSource(module, deps, store, this.#ending.signal);
      const { stored, error } = conversion;
      downloads.push(...conversion.downloads);
      if (stored) {
        if (keep) sharedCache?.add(module.key, stored.flushed);
        return { status: "converted", ...stored, downloads, faults };
      }
      if (error !== undefined) faults.push({ source: source.address, error });
      failure = combineFailures(failure, error === undefined ? notFound : failureOf(error, config.sources));
    }
    return { ...failure, downloads, faults };
  }

  #overloaded(module: ModuleId, reason: string): Outcome & Failure {
    const failure: Failure = { status: "overloaded", reason, ttlMs: 0 };
    const outcome = { ...failure, downloads: [], faults: [] };
    recordOutcome(module.key, outcome, this.#deps);
    return outcome;
  }
}
