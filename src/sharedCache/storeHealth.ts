import { CircuitBreaker } from "../async/circuitBreaker.ts";
import type { Logger } from "../observability/logging.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";

const failuresToBreak = 3;

/** Whether a store is asked for one thing, to give or to take: not for a while once it failed three times in a row. */
export class StoreHealth {
  /** What was wrong when it was asked last, if anything. */
  fault: string | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #log: Logger;
  readonly #what: string;

  /** `what` it is asked for, for the log. */
  constructor(what: string, cooldown: number, log: Logger) {
    this.#what = what;
    this.#breaker = new CircuitBreaker(failuresToBreak, cooldown);
    this.#log = log;
  }

  get isLeftAlone(): boolean {
    return this.#breaker.isOpen;
  }

  /** Whether it may be asked now. Where it may, `ended` must be called in the end. */
  begin(): boolean {
    return this.#breaker.tryBegin();
  }

  /** It answers; the rest may take its time. */
  answered(): void {
    this.#breaker.responded();
  }

  /** `error`: what came of it, if anything went wrong. What is no fault of the store is none here. */
  ended(error?: unknown): void {
    if (!(error instanceof SharedCacheFault) || error.isBadObject) {
      this.#breaker.succeeded();
      this.fault = undefined;
      return;
    }
    this.#breaker.failed();
    // The same over and over is said once.
    if (this.fault !== error.message) this.#log.warn({ err: error }, `shared cache can't ${this.#what}`);
    this.fault = error.message;
  }
}
