import { LRUCache } from "lru-cache";
import { Semaphore } from "../../async/semaphore.ts";
import { retryPolicy } from "../../config/retryPolicy.ts";
import type { ModuleId } from "../../identity/moduleId.ts";
import { Thread, ThreadEnded } from "../../threads/thread.ts";
import { ResultTooLarge, slicesOf, type Locations, type LookupUsage } from "./locations.ts";
import type { LookupProtocol, LookupRequest, LookupResult, LookupThreadData } from "./lookupThread.ts";
import type { SymcacheBytes } from "../symcacheFile.ts";

const entry = new URL("./lookupThread.ts", import.meta.url);
const minThreadBytes = 8e6;
/** Enough to keep a thread busy. */
const maxAsksAtOnce = 2;
/** Modules whose thread is remembered. */
const maxModules = 10_000;

/** The locations come in the slices that slicesOf() makes. `refused`: the request may not have the memory for all of them. */
type SlicedResult =
  | { kind: "found"; moduleName: string; locations: Locations[] }
  | { kind: "refused" }
  | Exclude<LookupResult, { kind: "found" | "too_large" }>;

/** A symcache in the folder. */
interface StoredSymcache {
  module: ModuleId;
  path: string;
  bytes: number;
}

/** Threads that look offsets up. Each module belongs to one of them, so that its pages are in memory once. */
export class LookupPool implements AsyncDisposable {
  readonly #data: LookupThreadData;
  readonly #threads: Thread<LookupProtocol>[];
  /** By index of a thread, who may ask it next. */
  readonly #turns: Semaphore[];
  /** By module the index of its thread. */
  readonly #indexes = new LRUCache<string, number>({ max: maxModules });
  #nextIndex = 0;
  readonly #timeoutMs: number;
  #isEnding = false;

  /** `memoryBytes`: of all threads together. `timeoutMs`: after this time a thread that doesn't reply is ended. */
  constructor(wasm: WebAssembly.Module, threads: number, memoryBytes: number, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#data = { wasm, memoryBytes: Math.max(memoryBytes / threads, minThreadBytes) };
    this.#threads = Array.from({ length: threads }, () => this.#newThread());
    this.#turns = this.#threads.map(() => new Semaphore(maxAsksAtOnce));
  }

  /**
   * The source locations of `offsets`, or why there are none. Slices of different requests take turns. Throws a ThreadEnded, a
   * ResultTooLarge or the reason of the usage's signal.
   */
  async lookUp(
    module: ModuleId,
    symcache: SymcacheBytes,
    offsets: Uint32Array<ArrayBuffer>,
    { textLeft, owner, reserve, signal }: LookupUsage,
  ): Promise<SlicedResult> {
    const index = this.#index(module);
    const locations: Locations[] = [];
    let moduleName = "";
    for (const slice of slicesOf(offsets)) {
      const lookUp = () => this.#lookUp(index, { module, symcache, offsets: slice, textLeft });
      const result = await this.#turns[index]!.run(lookUp, owner);
      signal.throwIfAborted();
      if (result.kind === "too_large") throw new ResultTooLarge();
      if (result.kind !== "found") return result;
      if (!reserve(result.locations.text.buffer.byteLength)) return { kind: "refused" };
      ({ moduleName } = result);
      locations.push(result.locations);
    }
    return { kind: "found", moduleName, locations };
  }

  /** Reads symcaches into memory, the most recently used first, until it is full. */
  async readAhead(symcaches: StoredSymcache[]): Promise<void> {
    const left = this.#threads.map(() => this.#data.memoryBytes);
    const queues = this.#threads.map((): StoredSymcache[] => []);
    for (const symcache of symcaches) {
      const index = this.#index(symcache.module);
      const bytesLeft = (left[index] ?? 0) - symcache.bytes;
      if (bytesLeft < 0) continue;
      left[index] = bytesLeft;
      queues[index]?.push(symcache);
    }
    await Promise.all(
      queues.map(async (queue, index) => {
        const thread = this.#thread(index);
        try {
          for (const { module, path } of queue) while (!(await thread.ask("readAhead", { module, path })));
        } catch (error) {
          if (!(error instanceof ThreadEnded)) throw error;
        }
      }),
    );
  }

  /**
   * Lets every idle thread convert and look up a few lines; a busy thread proves itself by its replies. Throws if a thread
   * returns a wrong result or does not reply in time.
   */
  async selfTest(): Promise<void> {
    const threads = this.#threads.map((_, index) => this.#thread(index));
    if (threads.some(({ seemsToHang }) => seemsToHang))
      throw new Error(`no progress for half of ${this.#timeoutMs / 1000} s`);
    const idle = threads.filter(({ pendingAsks }) => pendingAsks === 0);
    const passed = await Promise.all(idle.map((thread) => thread.ask("selfTest", undefined)));
    if (!passed.every(Boolean)) throw new Error("the WebAssembly returned a wrong result");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  /** Retries in a new thread if another lookup, or something outside, ended the thread. */
  async #lookUp(index: number, request: LookupRequest): Promise<LookupResult> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#thread(index).ask("lookUp", request);
      } catch (error) {
        const isRetryable = error instanceof ThreadEnded && error.isRetryable;
        if (!isRetryable || attempt === retryPolicy.lookupAttempts || this.#isEnding) throw error;
      }
  }

  /** The thread at an index, replaced if it has ended, unless the pool is being disposed of. */
  #thread(index: number): Thread<LookupProtocol> {
    const thread = this.#threads[index];
    if (thread && (!thread.hasEnded || this.#isEnding)) return thread;
    return (this.#threads[index] = this.#newThread());
  }

  #newThread(): Thread<LookupProtocol> {
    return new Thread(entry, this.#data, this.#timeoutMs);
  }

  /** Assigns threads in rotation: a hash would often give one thread most of a few busy modules. */
  #index({ key }: ModuleId): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#nextIndex;
    this.#nextIndex = (index + 1) % this.#threads.length;
    this.#indexes.set(key, index);
    return index;
  }
}
