/** A time limit that can be paused, so that only the time spent on one party counts. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  #leftMs: number;
  #running: { timer: NodeJS.Timeout; since: number } | undefined;

  /** Starts paused. */
  constructor(timeoutMs: number) {
    this.#leftMs = timeoutMs;
  }

  /** Aborted with a TimeoutError once the time is up, as AbortSignal.timeout() is. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  resume(): void {
    if (this.#running) return;
    const expire = () => this.#controller.abort(new DOMException("it took too long", "TimeoutError"));
    this.#running = { timer: setTimeout(expire, this.#leftMs), since: performance.now() };
  }

  pause(): void {
    if (!this.#running) return;
    clearTimeout(this.#running.timer);
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#running.since));
    this.#running = undefined;
  }

  [Symbol.dispose](): void {
    this.pause();
  }
}
