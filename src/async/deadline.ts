/** A time limit that stands still while it is somebody else who must be waited for. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  #left: number;
  #running: { timer: NodeJS.Timeout; since: number } | undefined;

  /** It stands still at first. */
  constructor(milliseconds: number) {
    this.#left = milliseconds;
  }

  /** Aborted with a TimeoutError, as AbortSignal.timeout() does, once the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  run(): void {
    if (this.#running) return;
    const up = () => this.#controller.abort(new DOMException("it took too long", "TimeoutError"));
    this.#running = { timer: setTimeout(up, this.#left), since: performance.now() };
  }

  stop(): void {
    if (!this.#running) return;
    clearTimeout(this.#running.timer);
    this.#left = Math.max(0, this.#left - (performance.now() - this.#running.since));
    this.#running = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
