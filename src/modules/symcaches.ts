import { performance } from "node:perf_hooks";
import type { CachedSymcache } from "../diskCache/diskCache.ts";
import { AnswerTooLarge, type Locations, type TextLeft } from "../symcache/lookup/locations.ts";
import type { Lookups } from "../symcache/lookup/lookupPool.ts";
import type { SymcacheBytes } from "../symcache/symcacheFile.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { ThreadEnded } from "../threads/thread.ts";
import type { Cost } from "./cost.ts";
import { overloaded, type Failure } from "./failure.ts";
import { SymcacheMaker, type Made, type MakerParts } from "./symcacheMaker.ts";

/** The source locations of a module's offsets, or why there are none. */
export type ModuleAnswer = Found | Failure;

export interface Found {
  status: "cached" | "converted";
  /** What the module is called in answers: `xul.dll` for `xul.pdb`. */
  moduleName: string;
  locations: Locations;
}

/** A module's answer and what it took to have it. */
export interface ModuleLookup {
  answer: ModuleAnswer;
  /** Milliseconds until the folder had said whether it holds the symcache and, where it does, that had been looked in. */
  cacheLookup: number;
  /** Absent where the symcache was in the folder. */
  cost?: Cost;
}

/** What a request has had of the service. */
export interface Usage {
  /** Modules whose symcaches were not in the folder. */
  misses: number;
  /** Bytes of text that its lookups may still give. */
  textLeft: TextLeft;
}

interface Wanted {
  offsets: Uint32Array<ArrayBuffer>;
  textLeft: TextLeft;
}

/** A symcache may be evicted or found damaged between two steps; it is made again this often. */
const attempts = 3;

/** Looks offsets up in symcaches: in the folder or, on a miss, made anew. */
export class Symcaches implements Disposable {
  readonly #parts: MakerParts;
  readonly #lookups: Lookups;
  readonly #maker: SymcacheMaker;
  #hits = 0;
  #misses = 0;

  constructor(parts: MakerParts, lookups: Lookups) {
    this.#parts = parts;
    this.#lookups = lookups;
    this.#maker = new SymcacheMaker(parts);
  }

  /** Modules that wait for their download to begin. */
  get waiting(): number {
    return this.#maker.waiting;
  }

  /** Lookups so far whose symcache was in the folder, and those whose was not. */
  get counts(): { hits: number; misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** Gives up what is being made. */
  [Symbol.dispose](): void {
    this.#maker[Symbol.dispose]();
  }

  /**
   * The source locations of `offsets` in `module`, in their order. A request gets no more symcaches made than are made or
   * may wait at a time: sources would be asked on and on for what a single body can name. Throws an AnswerTooLarge.
   */
  async lookUp(module: ModuleId, offsets: Uint32Array<ArrayBuffer>, usage: Usage): Promise<ModuleLookup> {
    const wanted = { offsets, textLeft: usage.textLeft };
    const start = performance.now();
    const cached = await this.#lookUpCached(module, wanted);
    const cacheLookup = performance.now() - start;
    if (cached) this.#hits++;
    else this.#misses++;
    if (cached) return { answer: cached, cacheLookup };

    const { config, metrics } = this.#parts;
    if (++usage.misses > config.maxDownloads + config.maxQueuedDownloads) {
      metrics.increment("symbolicate.overloaded", {});
      return {
        answer: overloaded("the request has too many modules that are not in the folder"),
        cacheLookup,
      };
    }

    let cost: Cost | undefined;
    for (let attempt = 1; ; attempt++) {
      const making = await this.#maker.make(module, attempt < attempts);
      cost = making.cost;
      if ("status" in making.result) return { answer: making.result, cacheLookup, cost };
      const answer = await this.#lookUpMade(making.result, module, wanted);
      if (answer) return { answer, cacheLookup, cost };
      if (attempt === attempts)
        return { answer: failed("the symcache can't be read back"), cacheLookup, cost };
    }
  }

  async #lookUpMade(
    { symcache, kept, isConverted }: Made,
    module: ModuleId,
    wanted: Wanted,
  ): Promise<ModuleAnswer | undefined> {
    const status = isConverted ? "converted" : "cached";
    const answer = await this.#lookUpIn(symcache, module, wanted, status);
    if (typeof answer === "object") return answer;
    // It may have got its name in the folder just before it was opened.
    const found = await kept;
    return found && this.#lookUpFound(found, module, wanted, status);
  }

  async #lookUpCached(module: ModuleId, wanted: Wanted): Promise<ModuleAnswer | undefined> {
    const { folder, metrics, log } = this.#parts;
    const start = performance.now();
    let result: "hit" | "miss" | "error" = "miss";
    try {
      const found = await folder.get(module.key);
      if (!found) return undefined;
      result = "error";
      const answer = await this.#lookUpFound(found, module, wanted, "cached");
      if (answer?.status === "cached") result = "hit";
      return answer;
    } catch (error) {
      if (error instanceof AnswerTooLarge) result = "hit";
      if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
      result = "error";
      // Without the module or the path, of which nobody knows yet whether there is one: they are the client's own words.
      log.error({ code: error.code }, "cache folder can't be read");
      return undefined;
    } finally {
      metrics.histogram("diskcache.get", performance.now() - start, { result });
    }
  }

  /** Undefined where the symcache is gone or of no use; what is damaged is removed. */
  async #lookUpFound(
    found: CachedSymcache,
    module: ModuleId,
    wanted: Wanted,
    status: Found["status"],
  ): Promise<ModuleAnswer | undefined> {
    const answer = await this.#lookUpIn(found.path, module, wanted, status);
    if (typeof answer === "object") return answer;
    // What can't be read now may be sound: for want of file handles, say.
    if (answer !== "unreadable") await this.#parts.folder.remove(module.key, found);
    return undefined;
  }

  async #lookUpIn(
    symcache: SymcacheBytes,
    module: ModuleId,
    wanted: Wanted,
    status: Found["status"],
  ): Promise<ModuleAnswer | "missing" | "damaged" | "unreadable"> {
    const { log } = this.#parts;
    let answer;
    try {
      answer = await this.#lookups.lookUp(module, symcache, wanted.offsets, wanted.textLeft);
    } catch (error) {
      if (!(error instanceof ThreadEnded)) throw error;
      log.error({ err: error, module: module.key }, "lookup failed");
      return failed(error.message);
    }
    if (answer.kind === "found")
      return { status, moduleName: answer.moduleName, locations: answer.locations };
    if (answer.kind === "out_of_handles") {
      log.error({ module: module.key, reason: answer.message }, "symcache can't be opened");
      return failed(answer.message);
    }
    if (answer.kind !== "missing")
      log.warn({ module: module.key, reason: answer.message }, `symcache is ${answer.kind}`);
    return answer.kind;
  }
}

function failed(reason: string): Failure {
  return { status: "failed", reason, lifetime: 0 };
}
