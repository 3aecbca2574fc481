import { Thread } from "../threads/thread.ts";
import { collectYoungGarbage } from "./collectGarbage.ts";
import { ConversionError } from "./converter.ts";
import type { ConverterProtocol, ConverterThreadData, Refusal, SymcacheModule } from "./messages.ts";

type ConverterThread = Thread<ConverterProtocol>;

const entry = new URL("./converterThread.ts", import.meta.url);
/** Bytes that go to a converter at a time, and how many such buffers go to and fro. */
const bufferBytes = 1024 * 1024;
const buffersPerConversion = 3;
/** After so many buffers what the text came in is given back. */
const collectEvery = 8;
/** WebAssembly memory never shrinks: a thread that made a larger symcache than this is replaced. */
const largeSymcache = 64e6;

/** A step of a conversion took longer than it may. */
export class ConversionTimeout extends Error {
  override name = "ConversionTimeout";
}

/** A finished conversion. Its thread does nothing else until this is disposed. */
export interface Conversion extends Disposable {
  /** Size of the symcache. */
  readonly bytes: number;
  /** Writes the symcache to a new file. Throws what the disk says. */
  write(path: string): Promise<void>;
  /** A copy of the symcache. */
  take(): Promise<SharedArrayBuffer>;
}

/** Threads that convert sym files into symcaches, one at a time each. */
export class Converters implements AsyncDisposable {
  readonly #data: ConverterThreadData;
  readonly #maxThreads: number;
  readonly #timeout: number;
  readonly #threads = new Set<ConverterThread>();
  readonly #idle: ConverterThread[] = [];
  readonly #waiting: ((thread: ConverterThread) => void)[] = [];
  readonly #replacements = new Set<Promise<void>>();
  #isEnding = false;

  /**
   * Starts one thread, and up to `maxThreads` as they are needed.
   * `memory`: bytes that each may take. `timeout`: milliseconds after which a step, such as a piece of 1 MiB, is given up
   * and its thread ended.
   */
  constructor(wasm: WebAssembly.Module, maxThreads: number, memory: number, timeout: number) {
    this.#data = { wasm, memory };
    this.#maxThreads = maxThreads;
    this.#timeout = timeout;
    this.#startThread();
  }

  /**
   * Converts the text of a sym file while it arrives.
   * Throws a ConversionError, a ConversionTimeout, a ThreadEnded, or what reading the text throws.
   */
  async convert(module: SymcacheModule, symText: AsyncIterable<Uint8Array>): Promise<Conversion> {
    const thread = await this.#borrow();
    try {
      await this.#within(thread, thread.ask("start", module));
      await this.#feed(thread, symText);
      const { bytes } = await this.#within(thread, thread.ask("finish", undefined));
      return {
        bytes,
        write: async (path) => {
          const { error } = await this.#within(thread, thread.ask("write", path));
          if (error !== undefined) throw new Error(error);
        },
        take: () => this.#within(thread, thread.ask("take", undefined)),
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
    const thread = this.#takeIdle();
    if (!thread) return;
    let passed = false;
    try {
      passed = await this.#within(thread, thread.ask("selfTest", undefined));
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

  #startThread(): void {
    const thread: ConverterThread = new Thread(entry, this.#data);
    this.#threads.add(thread);
    this.#hand(thread);
  }

  #hand(thread: ConverterThread): void {
    const next = this.#waiting.shift();
    if (next) next(thread);
    else this.#idle.push(thread);
  }

  #borrow(): Promise<ConverterThread> {
    let idle = this.#takeIdle();
    if (!idle && this.#threads.size < this.#maxThreads) {
      this.#startThread();
      idle = this.#takeIdle();
    }
    return idle ? Promise.resolve(idle) : new Promise((resolve) => this.#waiting.push(resolve));
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
    await thread[Symbol.asyncDispose]();
    this.#threads.delete(thread);
    if (!this.#isEnding && this.#idle.length === 0) this.#startThread();
  }

  /** Copies the text into buffers that go to the thread and come back: at most three MiB wait for it. */
  async #feed(thread: ConverterThread, symText: AsyncIterable<Uint8Array>): Promise<void> {
    const away: Promise<ArrayBuffer>[] = [];
    let buffer = new Uint8Array(bufferBytes);
    let length = 0;
    let sent = 0;
    const send = () => {
      if (++sent % collectEvery === 0) collectYoungGarbage();
      const pushed = this.#within(
        thread,
        thread.ask("push", { buffer: buffer.buffer, length }, [buffer.buffer]),
      );
      const back = pushed.then((answer) => answer.buffer);
      // Its failure is found when the buffer is waited for; until then it is not unhandled.
      back.catch(() => {});
      away.push(back);
    };
    for await (let piece of symText) {
      while (piece.length > 0) {
        const copied = piece.subarray(0, bufferBytes - length);
        buffer.set(copied, length);
        length += copied.length;
        piece = piece.subarray(copied.length);
        if (length === bufferBytes) {
          send();
          const back = away.length < buffersPerConversion ? undefined : await away.shift();
          buffer = back ? new Uint8Array(back) : new Uint8Array(bufferBytes);
          length = 0;
        }
      }
    }
    send();
    await Promise.all(away);
  }

  /** The step's answer; a thread that takes too long for it is ended. */
  async #within<Answer>(thread: ConverterThread, step: Promise<Answer>): Promise<Exclude<Answer, Refusal>> {
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      deadline.reject(new ConversionTimeout(`conversion gave no sign of life for ${this.#timeout / 1000} s`));
      void thread[Symbol.asyncDispose]();
    }, this.#timeout);
    try {
      const answer = await Promise.race([step, deadline.promise]);
      if (isRefusal(answer)) throw new ConversionError(answer.refusal.reason, answer.refusal.message);
      return answer as Exclude<Answer, Refusal>;
    } finally {
      clearTimeout(timer);
    }
  }
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refusal" in answer;
}
