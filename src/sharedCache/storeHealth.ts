import { CircuitBreaker } from "../async/circuitBreaker.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { Logger } from "../observability/logging.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";

/** A circuit breaker for reads or for writes, which remembers and logs the latest failure. */
export class StoreHealth {
  /** The latest failure, until a request succeeds. */
  fault: string | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #log: Logger;
  readonly #operation: "read" | "write";

  constructor(operation: "read" | "write", cooldownMs: number, log: Logger) {
    this.#operation = operation;
    this.#breaker = new CircuitBreaker(retryPolicy.store.failuresToOpenCircuit, cooldownMs);
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Whether the store may be asked now. If so, `ended` must be called later. */
  tryBegin(): boolean {
    return this.#breaker.tryBegin();
  }

  /** The store responds; the body may take longer. */
  responded(): void {
    this.#breaker.responded();
  }

  /** Only a fault of the store itself counts as a failure. */
  ended(error?: unknown): void {
    if (!(error instanceof SharedCacheFault) || error.isBadObject) {
      this.#breaker.succeeded();
      this.fault = undefined;
      return;
    }
    this.#breaker.failed();
    // Log a repeated failure once.
    if (this.fault !== error.message)
      this.#log.warn({ err: error }, `shared cache ${this.#operation} failed`);
    this.fault = error.message;
  }
}
