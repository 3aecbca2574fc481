import { setTimeout } from "node:timers/promises";
import type { ModuleId } from "../../identity/moduleId.ts";
import { Thread, ThreadEnded } from "../../threads/thread.ts";
import { ConversionError } from "./converter.ts";
import { accepted, feed } from "./feed.ts";
import type { ConverterProtocol, ConverterThreadData } from "./converterThread.ts";

type ConverterThread = Thread<ConverterProtocol>;

const entry = new URL("./converterThread.ts", import.meta.url);
/**
 * WebAssembly memory never shrinks, so a thread that wrote a larger symcache is replaced. The limit is at most a quarter of a
 * conversion's memory, because the next conversion can start before the memory is free.
 */
const largeSymcacheBytes = 64e6;
/** A thread that waits for a hanging disk can't be terminated, and is replaced after this time. */
const terminationTimeoutMs = 5000;

/** A finished conversion. It occupies its thread until it is disposed of. */
export interface Conversion extends Disposable {
  /** Size of the symcache. */
  readonly bytes: number;
  /** The sym file's name for the module, if it is another one. */
  readonly otherName: string | undefined;
  /** Writes the symcache to a new file. Throws the disk's error or a ThreadEnded. */
  write(path: string): Promise<void>;
  /** A copy of the symcache. Throws a ConversionError if the memory is too small for it, or a ThreadEnded. */
  take(): Promise<SharedArrayBuffer>;
}

/** Threads that convert sym files into symcaches, each one at a time. */
export class ConverterPool implements AsyncDisposable {
  readonly #data: ConverterThreadData;
  readonly #maxThreads: number;
  readonly #maxReusedBytes: number;
  readonly #timeoutMs: number;
  readonly #threads = new Set<ConverterThread>();
  readonly #idle: ConverterThread[] = [];
  readonly #waiting: ((thread: ConverterThread) => void)[] = [];
  readonly #replacements = new Set<Promise<void>>();
  #isClosed = false;

  /**
   * Starts one thread, and up to `maxThreads` on demand. `maxMemoryBytes` limits each conversion, `timeoutMs` each of its
   * steps, such as a chunk of 1 MiB.
   */
  constructor(wasm: WebAssembly.Module, maxThreads: number, maxMemoryBytes: number, timeoutMs: number) {
    this.#data = { wasm, maxMemoryBytes };
    this.#maxReusedBytes = Math.min(largeSymcacheBytes, maxMemoryBytes / 4);
    this.#maxThreads = maxThreads;
    this.#timeoutMs = timeoutMs;
    this.#addThread();
  }

  /**
   * Converts the text of a sym file while it arrives. Throws a ConversionError, a ThreadHung, another ThreadEnded, or an error
   * of reading the text.
   */
  async convert(module: ModuleId, symText: AsyncIterable<Uint8Array>): Promise<Conversion> {
    const thread = await this.#begin(module);
    try {
      await feed(thread, symText);
      const { bytes, otherName } = await accepted(thread.ask("finish", undefined));
      return {
        bytes,
        otherName,
        async write(path) {
          const { error } = await thread.ask("write", path);
          if (error !== undefined) throw new Error(error);
        },
        take: async () => (await accepted(thread.ask("take", undefined))).copy,
        [Symbol.dispose]: () => this.#release(thread, bytes > this.#maxReusedBytes),
      };
    } catch (error) {
      // Otherwise the thread may still have half of a large file in memory.
      this.#release(thread, !(error instanceof ConversionError) || error.reason === "too_large");
      throw error;
    }
  }

  /**
   * Lets an idle thread convert a few lines. Busy threads have their timeouts. Throws if the result is wrong or the thread
   * ends.
   */
  async selfTest(): Promise<void> {
    const thread = this.#takeIdle() ?? (this.#threads.size === 0 ? this.#newThread() : undefined);
    if (!thread) return;
    let passed = false;
    try {
      passed = await thread.ask("selfTest", undefined);
    } finally {
      this.#release(thread, !passed);
    }
    if (!passed) throw new Error("the WebAssembly returned a wrong result");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map((thread) => thread[Symbol.asyncDispose]()));
    await Promise.all(this.#replacements);
  }

  /** Starts a conversion. Threads that end before they have any of the text are replaced, and nothing is lost. */
  async #begin(module: ModuleId): Promise<ConverterThread> {
    for (let attempt = 0; ; attempt++) {
      const thread = await this.#acquire();
      try {
        await accepted(thread.ask("start", module));
        return thread;
      } catch (error) {
        this.#release(thread, !(error instanceof ConversionError));
        if (!(error instanceof ThreadEnded) || this.#isClosed) throw error;
        if (attempt === this.#maxThreads)
          throw new Error("could not start a converter thread", { cause: error });
      }
    }
  }

  /** Undefined if the pool is full, or if the system has no more threads and the pool has others. */
  #newThread(): ConverterThread | undefined {
    if (this.#threads.size >= this.#maxThreads) return undefined;
    const thread: ConverterThread = new Thread(entry, this.#data, this.#timeoutMs);
    if (thread.hasEnded && this.#threads.size > 0) return undefined;
    this.#threads.add(thread);
    return thread;
  }

  #addThread(): void {
    const thread = this.#newThread();
    if (thread) this.#offer(thread);
  }

  #offer(thread: ConverterThread): void {
    const next = this.#waiting.shift();
    if (next) next(thread);
    else this.#idle.push(thread);
  }

  #acquire(): Promise<ConverterThread> {
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

  /** Replaces a thread in the background, because freeing its memory takes a while. */
  #release(thread: ConverterThread, replace: boolean): void {
    if (!replace && !thread.hasEnded) return this.#offer(thread);
    const replacement = this.#replace(thread).finally(() => this.#replacements.delete(replacement));
    this.#replacements.add(replacement);
  }

  async #replace(thread: ConverterThread): Promise<void> {
    await Promise.race([
      thread[Symbol.asyncDispose](),
      setTimeout(terminationTimeoutMs, undefined, { ref: false }),
    ]);
    this.#threads.delete(thread);
    if (!this.#isClosed && this.#idle.length === 0) this.#addThread();
  }
}
