/** As many calls wait for a semaphore as may. */
export class QueueFull extends Error {
  override name = "QueueFull";
}

/** Limits how many asynchronous calls run at once. The others wait in a first-in, first-out queue. */
export class Semaphore {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting = Infinity) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Calls `work` at once or when a running call has ended. Throws a QueueFull, or whatever `work` throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running++;
    else if (this.#queue.length >= this.#maxWaiting)
      throw new QueueFull(`${this.#maxWaiting} calls are waiting`);
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
