/** Milliseconds on a clock that only goes forward. */
type Time = number;

/**
 * Leaves a source alone for a while once it has failed so often in a row, then lets a single download find out. The
 * others fail meanwhile, and are let through from the moment that it has been answered: how long the rest of it takes
 * says nothing. Until a download went well from end to end, one more failure is enough to leave the source alone again.
 */
export class Breaker {
  readonly #failuresToBreak: number;
  readonly #cooldown: number;
  #failures = 0;
  /** When the source may be asked again; undefined while it may be asked. */
  #brokenUntil: Time | undefined;
  #isProbing = false;

  /** `cooldown` in milliseconds. */
  constructor(failuresToBreak: number, cooldown: number) {
    this.#failuresToBreak = failuresToBreak;
    this.#cooldown = cooldown;
  }

  /** Whether the source is left alone, or asked by the one that finds out. */
  get isBroken(): boolean {
    return this.#brokenUntil !== undefined;
  }

  /** Whether a download may begin now. Where it may, `succeeded` or `failed` must be called at its end. */
  begin(): boolean {
    if (this.#brokenUntil === undefined) return true;
    if (this.#isProbing || performance.now() < this.#brokenUntil) return false;
    this.#isProbing = true;
    return true;
  }

  /** The source has answered: it is there. */
  answered(): void {
    if (!this.#isProbing) return;
    this.#isProbing = false;
    this.#brokenUntil = undefined;
    this.#failures = this.#failuresToBreak - 1;
  }

  succeeded(): void {
    this.#isProbing = false;
    this.#brokenUntil = undefined;
    this.#failures = 0;
  }

  failed(): void {
    // One that began before the source was left alone says nothing new.
    if (this.#brokenUntil !== undefined && !this.#isProbing) return;
    this.#isProbing = false;
    if (++this.#failures >= this.#failuresToBreak) this.#brokenUntil = performance.now() + this.#cooldown;
  }
}
