import { LRUCache } from "lru-cache";
import { Thread, ThreadEnded } from "../threads/thread.ts";
import { AnswerTooLarge } from "./locations.ts";
import { MemoryBudget, type Holding } from "./memoryBudget.ts";
import type {
  LookupAnswer,
  LookupProtocol,
  LookupThreadData,
  SymcacheBytes,
  SymcacheModule,
} from "./messages.ts";

const entry = new URL("./lookupThread.ts", import.meta.url);
/** Bytes for open files and single pages: half of the budget, within these bounds; the rest is for held symcaches. */
const mostForPages = 128e6;
const leastForPages = 8e6;
/** How often a thread is asked where that ends for no fault of the ask. */
const attempts = 3;
/** Modules whose threads are known. */
const mostModules = 10_000;

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
  readonly #warmingUp: Promise<void>[] = [];

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
    module: SymcacheModule,
    symcache: SymcacheBytes,
    offsets: Uint32Array<ArrayBuffer>,
  ): Promise<Exclude<LookupAnswer, { kind: "too_large" }>> {
    const answer = await this.#ask(module, symcache, offsets);
    if (answer.kind === "too_large") throw new AnswerTooLarge();
    if (typeof symcache === "string" && answer.kind === "found" && answer.holding)
      void this.#note(module, symcache, answer.holding);
    return answer;
  }

  /** Lets every thread convert and look up a few lines. Throws where one gives a wrong answer or none. */
  async selfTest(): Promise<void> {
    const passed = this.#threads.map((_, number) => this.#thread(number).ask("selfTest", undefined));
    if (!(await Promise.all(passed)).every(Boolean)) throw new Error("the WebAssembly gave a wrong answer");
  }

  /** Resolves when all threads look up at their full speed. A new thread comes to it by itself, between other work. */
  async warmUp(): Promise<void> {
    await Promise.all(this.#warmingUp);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  /** What another ask, or somebody from outside, did to the thread is no answer to this ask: a new thread has one. */
  async #ask(
    module: SymcacheModule,
    symcache: SymcacheBytes,
    offsets: Uint32Array<ArrayBuffer>,
  ): Promise<LookupAnswer> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#thread(this.#number(module)).ask("lookUp", { module, symcache, offsets });
      } catch (error) {
        const isInnocent = error instanceof ThreadEnded && error.isInnocent;
        if (!isInnocent || attempt === attempts || this.#isEnding) throw error;
      }
  }

  /** The thread of that number, a new one where it has crashed. */
  #thread(number: number): Thread<LookupProtocol> {
    const thread = this.#threads[number];
    if (thread && !thread.hasEnded) return thread;
    return (this.#threads[number] = this.#newThread());
  }

  #newThread(): Thread<LookupProtocol> {
    const thread = new Thread<LookupProtocol>(entry, this.#data, this.#patience);
    const warmUp = async () => {
      while (await thread.ask("warmUp", undefined));
    };
    // That a thread ended, those learn who need it.
    this.#warmingUp.push(warmUp().catch(() => {}));
    return thread;
  }

  /** In turn, and the same for a module from then on: a hash would often give one thread most of a few busy modules. */
  #number({ debugFilename, debugId }: SymcacheModule): number {
    const key = `${debugFilename}/${debugId}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) % this.#threads.length;
    this.#numbers.set(key, number);
    return number;
  }

  /** Lets the threads hold what is worth it. */
  async #note(module: SymcacheModule, path: string, holding: Holding): Promise<void> {
    const { release, hold } = this.#budget.use(path, holding);
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
