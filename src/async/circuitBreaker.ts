/**
 * Stops calls to a remote party that failed several times in a row. After a cooldown a single probe is let through. Calls
 * are allowed again as soon as the probe has a response: its body may take minutes. Until one call succeeds as a whole, the
 * next failure opens the circuit again.
 */
export class CircuitBreaker {
  readonly #maxFailures: number;
  readonly #cooldownMs: number;
  #failures = 0;
  #fault: string | undefined;
  /** When a probe is due, on the performance clock. Undefined while the circuit is closed. */
  #probeAt: number | undefined;
  #isProbing = false;

  constructor(maxFailures: number, cooldownMs: number) {
    this.#maxFailures = maxFailures;
    this.#cooldownMs = cooldownMs;
  }

  /** Whether calls are stopped, except for a probe. */
  get isOpen(): boolean {
    return this.#probeAt !== undefined;
  }

  /** The latest failure, if no call has succeeded since. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Whether a call may begin. If so, `ended` must be called when it ends. */
  tryBegin(): boolean {
    if (this.#probeAt === undefined) return true;
    if (this.#isProbing || performance.now() < this.#probeAt) return false;
    this.#isProbing = true;
    return true;
  }

  /** The remote party has sent the head of a response. */
  responded(): void {
    if (!this.#isProbing) return;
    this.#isProbing = false;
    this.#probeAt = undefined;
    this.#failures = this.#maxFailures - 1;
  }

  /** A call ended. Without a `fault`, it succeeded. */
  ended(fault?: string): void {
    this.#fault = fault;
    // A call that began before the circuit was opened says nothing about the remote party now.
    if (fault !== undefined && this.isOpen && !this.#isProbing) return;
    this.#isProbing = false;
    this.#failures = fault === undefined ? 0 : this.#failures + 1;
    const isOpen = this.#failures >= this.#maxFailures;
    this.#probeAt = isOpen ? performance.now() + this.#cooldownMs : undefined;
  }
}
