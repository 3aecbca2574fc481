import { setTimeout } from "node:timers/promises";
import type { ModuleId } from "../../identity/moduleId.ts";
import { Thread, ThreadEnded } from "../../threads/thread.ts";
import { ConversionError } from "./converter.ts";
import { accepted, feed } from "./feed.ts";
import type { ConverterProtocol, ConverterThreadData } from "./converterThread.ts";

type ConverterThread = Thread<ConverterProtocol>;

const entry = new URL("./converterThread.ts", import.meta.url);
/** WebAssembly memory never shrinks: a thread that made a larger symcache than this is replaced. */
const largeSymcache = 64e6;
/** Milliseconds to wait for a thread's end before another takes its place: one that waits for the disk can't be ended. */
const longestEnd = 5000;

/** A finished conversion. Its thread does nothing else until this is disposed. */
export interface Conversion extends Disposable {
  /** Size of the symcache. */
  readonly bytes: number;
  /** Writes the symcache to a new file. Throws what the disk says, or a ThreadEnded. */
  write(path: string): Promise<void>;
  /** A copy of the symcache. Throws a ThreadEnded. */
  take(): Promise<SharedArrayBuffer>;
}

/** Threads that convert sym files into symcaches, one at a time each. */
export class Converters implements AsyncDisposable {
  readonly #data: ConverterThreadData;
  readonly #maxThreads: number;
  readonly #timeoutMs: number;
  readonly #threads = new Set<ConverterThread>();
  readonly #idle: ConverterThread[] = [];
  readonly #waiting: ((thread: ConverterThread) => void)[] = [];
  readonly #replacements = new Set<Promise<void>>();
  #isEnding = false;

  /**
   * Starts one thread, and up to `maxThreads` as they are needed and the system has them.
   * `maxMemoryBytes`: of each conversion. `timeoutMs`: of a step, such as a piece of 1 MiB; then its thread is ended.
   */
  constructor(wasm: WebAssembly.Module, maxThreads: number, maxMemoryBytes: number, timeoutMs: number) {
    this.#data = { wasm, maxMemoryBytes };
    this.#maxThreads = maxThreads;
    this.#timeoutMs = timeoutMs;
    this.#replenish();
  }

  /**
   * Converts the text of a sym file while it arrives.
   * Throws a ConversionError, a ThreadHung, another ThreadEnded, or what reading the text throws.
   */
  async convert(module: ModuleId, symText: AsyncIterable<Uint8Array>): Promise<Conversion> {
    const thread = await this.#begin(module);
    try {
      await feed(thread, symText);
      const { bytes } = await accepted(thread.ask("finish", undefined));
      return {
        bytes,
        async write(path) {
          const { error } = await thread.ask("write", path);
          if (error !== undefined) throw new Error(error);
        },
        take: () => thread.ask("take", undefined),
        [Symbol.dispose]: () => this.#giveBack(thread, bytes > largeSymcache),
      };
    } catch (error) {
      // After a refusal the thread is sound; after anything else it may hold half of a large file.
      this.#giveBack(thread, !(error instanceof ConversionError) || error.reason === "too_large");
      throw error;
    }
  }

  /**
   * Lets a thread that has nothing to do convert a few lines. Where all work there is nothing to see: each step of theirs
   * has its time. Throws where the answer is wrong or the thread ended.
   */
  async selfTest(): Promise<void> {
    const thread = this.#takeIdle() ?? (this.#threads.size === 0 ? this.#newThread() : undefined);
    if (!thread) return;
    let passed = false;
    try {
      passed = await thread.ask("selfTest", undefined);
    } finally {
      this.#giveBack(thread, !passed);
    }
    if (!passed) throw new Error("the WebAssembly gave a wrong answer");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#threads].map((thread) => thread[Symbol.asyncDispose]()));
    await Promise.all(this.#replacements);
  }

  /** A thread that has begun with a module. What ended or hangs before it has any of the text is replaced, and nothing lost. */
  async #begin(module: ModuleId): Promise<ConverterThread> {
    for (let attempt = 0; ; attempt++) {
      const thread = await this.#borrow();
      try {
        await accepted(thread.ask("start", module));
        return thread;
      } catch (error) {
        this.#giveBack(thread, !(error instanceof ConversionError));
        if (!(error instanceof ThreadEnded) || this.#isEnding) throw error;
        if (attempt === this.#maxThreads) throw new Error("no converter thread begins", { cause: error });
      }
    }
  }

  /** One more thread. Undefined where there are as many as may be, or where the system has no more and others must do. */
  #newThread(): ConverterThread | undefined {
    if (this.#threads.size >= this.#maxThreads) return undefined;
    const thread: ConverterThread = new Thread(entry, this.#data, this.#timeoutMs);
    if (thread.hasEnded && this.#threads.size > 0) return undefined;
    this.#threads.add(thread);
    return thread;
  }

  #replenish(): void {
    const thread = this.#newThread();
    if (thread) this.#hand(thread);
  }

  #hand(thread: ConverterThread): void {
    const next = this.#waiting.shift();
    if (next) next(thread);
    else this.#idle.push(thread);
  }

  #borrow(): Promise<ConverterThread> {
    const thread = this.#takeIdle() ?? this.#newThread();
    return thread ? Promise.resolve(thread) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #takeIdle(): ConverterThread | undefined {
    for (let thread; (thread = this.#idle.pop());) {
      if (!thread.hasEnded) return thread;
      this.#threads.delete(thread);
    }
    return undefined;
  }

  /** Nobody waits for a replacement: to give back a large memory takes its time. */
  #giveBack(thread: ConverterThread, replace: boolean): void {
    if (!replace && !thread.hasEnded) return this.#hand(thread);
    const replacement = this.#replace(thread).finally(() => this.#replacements.delete(replacement));
    this.#replacements.add(replacement);
  }

  async #replace(thread: ConverterThread): Promise<void> {
    await Promise.race([thread[Symbol.asyncDispose](), setTimeout(longestEnd, undefined, { ref: false })]);
    this.#threads.delete(thread);
    if (!this.#isEnding && this.#idle.length === 0) this.#replenish();
  }
}
