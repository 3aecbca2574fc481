import { Worker, type ResourceLimits, type Transferable } from "node:worker_threads";

/** What a thread can be asked, as functions by name: `{ add(terms: number[]): number }`. Arguments and replies are cloned. */
export type Protocol<P> = Record<keyof P, (argument: never) => unknown>;

/** `{id: 7, name: "add", argument: [1, 2]}` to the thread, `{id: 7, reply: 3}` back, and `{}` as a sign of progress. */
export interface AskMessage {
  id: number;
  name: string;
  argument: unknown;
}
export interface ReplyMessage {
  id: number;
  reply: unknown;
}

/** The thread ended before it replied: it crashed, ran out of memory or was terminated. */
export class ThreadEnded extends Error {
  override name = "ThreadEnded";
  /** Whether this ask is not to blame: the thread had not started it, or ended without an error. */
  readonly isRetryable: boolean;

  constructor(
    message: string,
    { isRetryable = false, cause }: { isRetryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isRetryable = isRetryable;
  }
}

/** The thread made no progress until its timeout, and was terminated. */
export class ThreadHung extends ThreadEnded {
  override name = "ThreadHung";
}

/** The timeout is counted in that many ticks, so that a suspension of the whole process, however long, counts as one. */
const timeoutTicks = 4;

/**
 * A worker thread that replies to asks in their order. Its code calls replyToAsks(). A thread that can't be started counts as
 * ended.
 */
export class Thread<P extends Protocol<P>> implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 0;
  #end: ThreadEnded | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  /** Ticks without progress on an ask. */
  #idleTicks = 0;

  /** Terminates a thread that makes no progress on an ask for `timeoutMs`. A thread that exceeds its limits crashes. */
  constructor(entry: URL, workerData?: unknown, timeoutMs?: number, resourceLimits: ResourceLimits = {}) {
    let worker: Worker;
    try {
      worker = new Worker(entry, { workerData, resourceLimits });
    } catch (cause) {
      // The system has no more threads, or no memory for one.
      this.#end = new ThreadEnded(`thread can't be started: ${String(cause)}`, { isRetryable: true, cause });
      return;
    }
    this.#worker = worker;
    worker.on("message", ({ id, reply }: Partial<ReplyMessage>) => {
      this.#idleTicks = 0;
      if (id === undefined) return;
      this.#pending.get(id)?.resolve(reply);
      this.#pending.delete(id);
      // A thread that is being terminated must keep the process alive until it has ended.
      if (this.#pending.size === 0 && !this.#end) worker.unref();
    });
    worker.on("error", (cause) =>
      this.#endWith(new ThreadEnded(`thread crashed: ${String(cause)}`, { cause })),
    );
    worker.on("exit", (code) =>
      this.#endWith(new ThreadEnded(`thread ended with code ${code}`, { isRetryable: true })),
    );
    // An idle thread must not keep the process alive. This comes last, because adding a message listener undoes it.
    worker.unref();
    if (timeoutMs !== undefined)
      this.#watchdog = setInterval(() => this.#tick(timeoutMs), timeoutMs / timeoutTicks).unref();
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** How many asks wait for their replies. */
  get pendingAsks(): number {
    return this.#pending.size;
  }

  /** Whether half of the timeout has passed without progress. */
  get seemsToHang(): boolean {
    return this.pendingAsks > 0 && this.#idleTicks > timeoutTicks / 2;
  }

  /** The thread's reply. Rejects with a ThreadEnded. Buffers in `transfer` can't be used here afterwards. */
  ask<Name extends keyof P & string>(
    name: Name,
    argument: Parameters<P[Name]>[0],
    transfer: Transferable[] = [],
  ): Promise<ReturnType<P[Name]>> {
    if (this.#end)
      return Promise.reject(new ThreadEnded(this.#end.message, { isRetryable: true, cause: this.#end }));
    if (this.#pending.size === 0) this.#idleTicks = 0;
    const id = this.#nextId++;
    const pending = Promise.withResolvers<unknown>();
    this.#pending.set(id, pending);
    this.#worker?.ref();
    this.#worker?.postMessage({ id, name, argument } satisfies AskMessage, transfer);
    return pending.promise as Promise<ReturnType<P[Name]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endWith(new ThreadEnded("thread was terminated", { isRetryable: true }));
    await this.#worker?.terminate();
  }

  #tick(timeoutMs: number): void {
    if (this.#pending.size === 0 || ++this.#idleTicks <= timeoutTicks) return;
    this.#endWith(new ThreadHung(`thread made no progress for ${timeoutMs / 1000} s`));
    void this.#worker?.terminate();
  }

  /** Blames the first pending ask, which the thread was working on. */
  #endWith(reason: ThreadEnded): void {
    if (this.#end) return;
    this.#end = reason;
    clearInterval(this.#watchdog);
    const [first, ...others] = this.#pending.values();
    this.#pending.clear();
    first?.reject(reason);
    for (const { reject } of others) reject(new ThreadEnded(reason.message, { isRetryable: true }));
  }
}
