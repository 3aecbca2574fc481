import { Worker, type Transferable } from "node:worker_threads";

/** What a thread can be asked, as functions by name: `{ add(terms: number[]): number }`. Arguments and answers are cloned. */
export type Protocol<P> = Record<keyof P, (argument: never) => unknown>;

/** What passes between a Thread and answerAsks(): `{id: 7, name: "add", argument: [1, 2]}` one way, `{id: 7, answer: 3}` back, and `{}` as a sign of life. */
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
  /** Whether this ask is not to blame: the thread had not come to it, or ended without an error. */
  readonly isInnocent: boolean;

  constructor(
    message: string,
    { isInnocent = false, cause }: { isInnocent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isInnocent = isInnocent;
  }
}

/** The thread gave no sign of life for so long that it was ended. */
export class ThreadHung extends ThreadEnded {
  override name = "ThreadHung";
}

/** A thread's patience runs out in so many parts: a pause of the whole process, however long, takes but one. */
const parts = 4;

/**
 * A worker thread that gives one answer to each ask, in the order of asking. Its code calls answerAsks(). One that can't be
 * started has ended.
 */
export class Thread<P extends Protocol<P>> implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;
  #end: ThreadEnded | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Parts of the patience in which something was asked for and nothing came. */
  #quietParts = 0;

  /** `patience`: milliseconds without an answer or another sign of life after which a thread that was asked is ended. */
  constructor(entry: URL, workerData?: unknown, patience?: number) {
    let worker: Worker;
    try {
      worker = new Worker(entry, { workerData });
    } catch (cause) {
      // The system has no more threads, or no memory for one.
      this.#end = new ThreadEnded(`thread can't be started: ${String(cause)}`, { isInnocent: true, cause });
      return;
    }
    this.#worker = worker;
    worker.on("message", ({ id, answer }: Partial<AnswerMessage>) => {
      this.#quietParts = 0;
      if (id === undefined) return;
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
      // One that is being ended holds the process until it has ended: somebody waits for that.
      if (this.#waiting.size === 0 && !this.#end) worker.unref();
    });
    worker.on("error", (cause) =>
      this.#ended(new ThreadEnded(`thread crashed: ${String(cause)}`, { cause })),
    );
    worker.on("exit", (code) =>
      this.#ended(new ThreadEnded(`thread ended with code ${code}`, { isInnocent: true })),
    );
    // Last, for a listener to messages takes it back: an idle thread must not hold the end of the process up.
    worker.unref();
    if (patience !== undefined)
      this.#watch = setInterval(() => this.#look(patience), patience / parts).unref();
  }

  /** Whether the thread can't answer any more. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether it has been asked for what it has not answered yet. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether half of its patience is over without a sign of life. */
  get seemsToHang(): boolean {
    return this.isBusy && this.#quietParts > parts / 2;
  }

  /** The thread's answer. Rejects with a ThreadEnded. What is in `transfer` can't be used here afterwards. */
  ask<Name extends keyof P & string>(
    name: Name,
    argument: Parameters<P[Name]>[0],
    transfer: Transferable[] = [],
  ): Promise<ReturnType<P[Name]>> {
    if (this.#end)
      return Promise.reject(new ThreadEnded(this.#end.message, { isInnocent: true, cause: this.#end }));
    if (this.#waiting.size === 0) this.#quietParts = 0;
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#worker?.ref();
    this.#worker?.postMessage({ id, name, argument } satisfies AskMessage, transfer);
    return waiting.promise as Promise<ReturnType<P[Name]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended(new ThreadEnded("thread was ended", { isInnocent: true }));
    await this.#worker?.terminate();
  }

  #look(patience: number): void {
    if (this.#waiting.size === 0 || ++this.#quietParts <= parts) return;
    this.#ended(new ThreadHung(`thread gave no sign of life for ${patience / 1000} s`));
    void this.#worker?.terminate();
  }

  /** What was asked first is what the thread was at. */
  #ended(reason: ThreadEnded): void {
    if (this.#end) return;
    this.#end = reason;
    clearInterval(this.#watch);
    const [first, ...others] = this.#waiting.values();
    this.#waiting.clear();
    first?.reject(reason);
    for (const { reject } of others) reject(new ThreadEnded(reason.message, { isInnocent: true }));
  }
}
