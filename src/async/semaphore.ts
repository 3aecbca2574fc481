/** As many calls wait for a semaphore as may. */
export class QueueFull extends Error {
  override name = "QueueFull";
}

interface Waiter {
  start: () => void;
  refuse: (error: QueueFull) => void;
}

/**
 * Limits how many asynchronous calls run at once. The others wait: owners take turns, and the calls of each are served first in,
 * first out. If too many wait, the owner that has the most of them loses its latest one to owners that have fewer.
 */
export class Semaphore {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  /** In the order of their turns. */
  readonly #queues = new Map<unknown, Waiter[]>();
  #waiting = 0;
  #running = 0;

  constructor(maxRunning: number, maxWaiting = Infinity) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Calls `work` at once or when it is its owner's turn. Throws a QueueFull, or whatever `work` throws. */
  async run<T>(work: () => Promise<T>, owner?: unknown): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running++;
    else await this.#wait(owner);
    try {
      return await work();
    } finally {
      if (!this.#startNext()) this.#running--;
    }
  }

  async #wait(owner: unknown): Promise<void> {
    const queue = this.#queues.get(owner) ?? [];
    if (this.#waiting >= this.#maxWaiting) this.#makeRoom(queue.length);
    const { promise, resolve: start, reject: refuse } = Promise.withResolvers<void>();
    queue.push({ start, refuse });
    this.#queues.set(owner, queue);
    this.#waiting++;
    await promise;
  }

  /** Refuses the latest call of the longest queue. Throws a QueueFull if a queue of `length` may not have one more. */
  #makeRoom(length: number): void {
    const full = new QueueFull(`${this.#maxWaiting} calls are waiting`);
    const [longest] = [...this.#queues].toSorted(([, one], [, other]) => other.length - one.length);
    if (!longest || longest[1].length <= length + 1) throw full;
    longest[1].pop()?.refuse(full);
    this.#waiting--;
  }

  #startNext(): boolean {
    const [next] = this.#queues;
    if (!next) return false;
    const [owner, queue] = next;
    queue.shift()?.start();
    this.#waiting--;
    this.#queues.delete(owner);
    if (queue.length > 0) this.#queues.set(owner, queue);
    return true;
  }
}
