import { LRUCache } from "lru-cache";
import { QueueFull, Semaphore } from "../async/semaphore.ts";
import type { Config } from "../config/config.ts";
import type { SharedCache } from "../sharedCache/sharedCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Source } from "../sources/source.ts";
import { noCost, type Cost } from "./cost.ts";
import { moreTelling, notFound, overloaded, type Failure } from "./failure.ts";
import { fetchSymcache } from "./fetchSymcache.ts";
import type { Kept } from "./keepSymcache.ts";
import { makeSymcache, type MakeParts } from "./makeSymcache.ts";

/** A symcache that was not in the folder. */
export interface Made extends Kept {
  /** From a sym file; else it was in the shared cache. */
  isConverted: boolean;
}

export interface Making {
  result: Made | Failure;
  cost: Cost;
}

export interface MakerParts extends MakeParts {
  sources: Source[];
  sharedCache?: SharedCache | undefined;
  /** Whether so many requests are under way that no more of them may wait for symcaches. */
  isCrowded: () => boolean;
  config: MakeParts["config"] & Pick<Config, "downloadQueue" | "maxDownloads">;
}

/** Gets symcaches from the shared cache or makes them of what the sources have, once however many ask, and remembers for a while what can't be made. */
export class SymcacheMaker implements Disposable {
  readonly #parts: MakerParts;
  readonly #ending = new AbortController();
  readonly #underWay = new Map<string, Promise<Making>>();
  readonly #failures = new LRUCache<string, Failure>({ max: 100_000 });
  readonly #queue: Semaphore;

  constructor(parts: MakerParts) {
    this.#parts = parts;
    this.#queue = new Semaphore(parts.config.maxDownloads, parts.config.downloadQueue);
  }

  /** Modules that wait for their download to begin. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** The symcache of a module: in the folder under `key`, or its bytes where `keep` is false or the folder can't keep it. */
  async make(module: ModuleId, keep: boolean): Promise<Making> {
    const { key } = module;
    const failure = this.#failures.get(key);
    if (failure) return { result: failure, cost: noCost() };
    if (this.#parts.isCrowded()) return this.#overloaded("too many requests are under way");
    const flight = `${key} ${keep}`;
    let making = this.#underWay.get(flight);
    if (!making) {
      making = this.#inTurn(() => this.#makeNow(module, keep));
      this.#underWay.set(flight, making);
      void this.#land(flight, making);
    }
    return making;
  }

  async #inTurn(work: () => Promise<Making>): Promise<Making> {
    const { metrics } = this.#parts;
    try {
      const making = this.#queue.run(work);
      metrics.gauge("downloader.queue", this.waiting);
      return await making;
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      return this.#overloaded("too many modules wait to be downloaded");
    } finally {
      metrics.gauge("downloader.queue", this.waiting);
    }
  }

  #overloaded(reason: string): Making {
    this.#parts.metrics.increment("symbolicate.overloaded", {});
    return { result: overloaded(reason), cost: noCost() };
  }

  /** A flight ends when its symcache is in the folder: who comes before that joins it. */
  async #land(flight: string, making: Promise<Making>): Promise<void> {
    try {
      const { result } = await making;
      if ("kept" in result) await result.kept;
    } finally {
      this.#underWay.delete(flight);
    }
  }

  /** Gives up what is under way. */
  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  /** From the shared cache or else of what source after source has. */
  async #makeNow(module: ModuleId, keep: boolean): Promise<Making> {
    const { key } = module;
    const cost = noCost();
    const order = { module, keep, cost };
    const { sources, sharedCache } = this.#parts;
    const fetched = sharedCache && (await fetchSymcache(order, sharedCache, this.#parts));
    if (fetched) return { result: { ...fetched, isConverted: false }, cost };
    let failure: Failure | undefined;
    for (const source of sources) {
      const result = await makeSymcache(source, order, this.#parts, this.#ending.signal);
      if ("symcache" in result) {
        if (keep) sharedCache?.add(key, result.kept);
        return { result: { ...result, isConverted: true }, cost };
      }
      failure = failure ? moreTelling(failure, result) : result;
    }
    failure ??= notFound(this.#parts.config);
    if (failure.lifetime > 0) this.#failures.set(key, failure, { ttl: failure.lifetime });
    return { result: failure, cost };
  }
}
