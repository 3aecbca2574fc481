import { Worker, type Transferable } from "node:worker_threads";

/** What a thread can be asked, as functions by name: `{ add(terms: number[]): number }`. Arguments and answers are cloned. */
export type Protocol<P> = Record<keyof P, (argument: never) => unknown>;

/** What passes between a Thread and answerAsks(): `{id: 7, name: "add", argument: [1, 2]}` one way, `{id: 7, answer: 3}` back. */
export interface AskMessage {
  id: number;
  name: string;
  argument: unknown;
}
export interface AnswerMessage {
  id: number;
  answer: unknown;
}

/** The thread ended before it answered: it crashed, ran out of memory or was ended. */
export class ThreadEnded extends Error {
  override name = "ThreadEnded";
}

/** A worker thread that gives one answer to each ask, in the order of asking. Its code calls answerAsks(). */
export class Thread<P extends Protocol<P>> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;
  #lastSign = 0;
  #end: ThreadEnded | undefined;

  constructor(entry: URL, workerData?: unknown) {
    this.#worker = new Worker(entry, { workerData });
    this.#worker.on("message", ({ id, answer }: AnswerMessage) => {
      this.#lastSign = performance.now();
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    });
    this.#worker.on("error", (cause) =>
      this.#ended(new ThreadEnded(`thread crashed: ${String(cause)}`, { cause })),
    );
    this.#worker.on("exit", (code) => this.#ended(new ThreadEnded(`thread ended with code ${code}`)));
    // Last, for a listener to messages takes it back: an idle thread must not hold the end of the process up.
    this.#worker.unref();
  }

  /** Whether the thread can't answer any more. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Milliseconds that it has been at the ask it is at; 0 where it has none. */
  get busyFor(): number {
    return this.#waiting.size === 0 ? 0 : performance.now() - this.#lastSign;
  }

  /** The thread's answer. Rejects with a ThreadEnded. What is in `transfer` can't be used here afterwards. */
  ask<Name extends keyof P & string>(
    name: Name,
    argument: Parameters<P[Name]>[0],
    transfer: Transferable[] = [],
  ): Promise<ReturnType<P[Name]>> {
    if (this.#end) return Promise.reject(this.#end);
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<unknown>();
    if (this.#waiting.size === 0) this.#lastSign = performance.now();
    this.#waiting.set(id, waiting);
    this.#worker.ref();
    this.#worker.postMessage({ id, name, argument } satisfies AskMessage, transfer);
    return waiting.promise as Promise<ReturnType<P[Name]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended(new ThreadEnded("thread was ended"));
    await this.#worker.terminate();
  }

  #ended(reason: ThreadEnded): void {
    this.#end ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
    this.#waiting.clear();
  }
}
