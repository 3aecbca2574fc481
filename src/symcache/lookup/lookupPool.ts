import { setTimeout } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { retryPolicy } from "../../config/retryPolicy.ts";
import type { ModuleId } from "../../identity/moduleId.ts";
import { Thread, ThreadEnded } from "../../threads/thread.ts";
import { joinLocations } from "./joinLocations.ts";
import { heldOverhead } from "./heldSymcaches.ts";
import { AnswerTooLarge, type TextLeft } from "./locations.ts";
import { MemoryBudget, type Holding } from "./memoryBudget.ts";
import type { LookupAnswer, LookupProtocol, LookupThreadData, SymcacheBytes } from "../messages.ts";

const entry = new URL("./lookupThread.ts", import.meta.url);
/** Bytes for open files and single pages: half of the budget, within these bounds; the rest is for held symcaches. */
const mostForPages = 128e6;
const leastForPages = 8e6;
/** Offsets of one lookup that are worth another thread, and up to how many it is little work to join the answers. */
const fewestShared = 200;
const mostShared = 2000;
/** Milliseconds after which it is asked again whether a symcache has been read. */
const readingInterval = 10;
/** Modules whose threads are known. */
const mostModules = 10_000;

type Found = Extract<LookupAnswer, { kind: "found" }>;

/**
 * Threads that look offsets up. Each module belongs to one of them, so that what was read of it is in one place.
 * Symcaches that keep being asked for are read into memory as a whole, as long as there is room.
 */
export class Lookups implements AsyncDisposable {
  readonly #data: LookupThreadData;
  readonly #threads: Thread<LookupProtocol>[];
  readonly #budget: MemoryBudget;
  /** By module the number of its thread. */
  readonly #numbers = new LRUCache<string, number>({ max: mostModules });
  #nextNumber = 0;
  readonly #patience: number;
  #isEnding = false;

  /** `memory`: bytes of all threads together. `patience`: milliseconds after which a thread that doesn't answer is ended. */
  constructor(wasm: WebAssembly.Module, threads: number, memory: number, patience: number) {
    this.#patience = patience;
    const forPages = Math.min(memory / 2, mostForPages);
    this.#data = { wasm, memory: Math.max(forPages / threads, leastForPages) };
    this.#budget = new MemoryBudget(memory - forPages);
    this.#threads = Array.from({ length: threads }, () => this.#newThread());
  }

  /** The source locations of `offsets`, in their order, or why there are none. Throws a ThreadEnded or an AnswerTooLarge. */
  async lookUp(
    module: ModuleId,
    symcache: SymcacheBytes,
    offsets: Uint32Array<ArrayBuffer>,
    textLeft: TextLeft,
  ): Promise<Exclude<LookupAnswer, { kind: "too_large" }>> {
    const parts = this.#parts(symcache, offsets);
    const number = this.#number(module);
    const answers = await Promise.all(
      parts.map((part, i) =>
        this.#ask((number + i) % this.#threads.length, { module, symcache, offsets: part, textLeft }),
      ),
    );
    const found = [];
    for (const answer of answers) {
      if (answer.kind === "too_large") throw new AnswerTooLarge();
      if (answer.kind !== "found") return answer;
      found.push(answer);
    }
    const [first] = found as [Found, ...Found[]];
    if (typeof symcache === "string" && first.holding) void this.#note(module, symcache, first.holding);
    return { ...first, locations: joinLocations(found.map(({ locations }) => locations)) };
  }

  /** Many offsets into a file that isn't in memory are shared among the threads: each page of it takes its time. */
  #parts(symcache: SymcacheBytes, offsets: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer>[] {
    const isShared =
      typeof symcache === "string" && offsets.length <= mostShared && !this.#budget.isHeld(symcache);
    const parts = isShared ? Math.min(this.#threads.length, Math.floor(offsets.length / fewestShared)) : 1;
    if (parts <= 1) return [offsets];
    const length = Math.ceil(offsets.length / parts);
    return Array.from({ length: parts }, (_, i) => offsets.slice(i * length, (i + 1) * length));
  }

  /**
   * Holds a symcache of `bytes` that was in use before the service started, where there is room. Resolves
   * once it is in memory, or can't be.
   */
  async resumeHolding(module: ModuleId, path: string, bytes: number): Promise<void> {
    if (!this.#budget.resume(path, bytes + heldOverhead)) return;
    // Not one that takes the place of this: after the service's end there must be none.
    const thread = this.#thread(this.#number(module));
    await this.#changeHeld(module, path, [], true);
    const isReading = () => thread.ask("isReading", path).catch(() => false);
    while (await isReading()) await setTimeout(readingInterval);
  }

  /**
   * Lets every thread that has nothing to do convert and look up a few lines; the others show by their answers that they
   * work. Throws where a thread gives a wrong answer, or none for long.
   */
  async selfTest(): Promise<void> {
    const threads = this.#threads.map((_, number) => this.#thread(number));
    if (threads.some(({ seemsToHang }) => seemsToHang))
      throw new Error(`no sign of life for half of ${this.#patience / 1000} s`);
    const idle = threads.filter(({ isBusy }) => !isBusy);
    const passed = await Promise.all(idle.map((thread) => thread.ask("selfTest", undefined)));
    if (!passed.every(Boolean)) throw new Error("the WebAssembly gave a wrong answer");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  /** What another ask, or somebody from outside, did to the thread is no answer to this ask: a new thread has one. */
  async #ask(number: number, ask: Parameters<LookupProtocol["lookUp"]>[0]): Promise<LookupAnswer> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#thread(number).ask("lookUp", ask);
      } catch (error) {
        const isInnocent = error instanceof ThreadEnded && error.isInnocent;
        if (!isInnocent || attempt === retryPolicy.lookupAttempts || this.#isEnding) throw error;
      }
  }

  /** The thread of that number, a new one where it has crashed; but none is started after the end. */
  #thread(number: number): Thread<LookupProtocol> {
    const thread = this.#threads[number];
    if (thread && (!thread.hasEnded || this.#isEnding)) return thread;
    return (this.#threads[number] = this.#newThread());
  }

  #newThread(): Thread<LookupProtocol> {
    return new Thread(entry, this.#data, this.#patience);
  }

  /** In turn, and the same for a module from then on: a hash would often give one thread most of a few busy modules. */
  #number({ key }: ModuleId): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) % this.#threads.length;
    this.#numbers.set(key, number);
    return number;
  }

  /** Lets the threads hold what is worth it. */
  async #note(module: ModuleId, path: string, holding: Holding): Promise<void> {
    const { release, hold } = this.#budget.use(path, holding);
    await this.#changeHeld(module, path, release, hold);
  }

  async #changeHeld(module: ModuleId, path: string, release: string[], hold: boolean): Promise<void> {
    try {
      await Promise.all(
        release.map((old) => this.#threads.map((thread) => thread.ask("release", old))).flat(),
      );
      if (hold)
        this.#budget.begun(path, await this.#thread(this.#number(module)).ask("hold", { module, path }));
    } catch (error) {
      if (!(error instanceof ThreadEnded)) throw error;
      this.#budget.begun(path, false);
    }
  }
}
