import { setTimeout } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { CircuitBreaker } from "../async/circuitBreaker.ts";
import { DownloadError } from "./downloadError.ts";

/** Milliseconds: the wait before attempt n + 1 is a random part of the first times 2^n, of the second at most. */
const firstWait = 250;
const longestWait = 5_000;
/** A server that wants to be left alone for longer is not asked again. */
const longestRetryAfter = 10_000;
/** Retries saved up at most, and what a success adds: a source that fails is asked little more than once a download. */
const maxBudget = 10;
const refill = 0.2;
const failuresToBreak = 5;

export type AttemptSettings = Pick<Config, "downloadAttempts" | "breakerCooldown">;

/**
 * How often one source is asked: again after a passing fault, within a budget; not at all for a while once it has
 * failed five times in a row, until a single download finds it well again.
 */
export class Attempts {
  readonly #maxAttempts: number;
  readonly #breaker: CircuitBreaker;
  #budget = maxBudget;
  #lastFailure = "";

  constructor({ downloadAttempts, breakerCooldown }: AttemptSettings) {
    this.#maxAttempts = downloadAttempts;
    this.#breaker = new CircuitBreaker(failuresToBreak, breakerCooldown);
  }

  /** The source has answered a download that is under way, with what is no failure. */
  answered(): void {
    this.#breaker.responded();
  }

  /** What `download` gives, tried again as it makes sense until `signal` says otherwise. Throws what the last try threw. */
  async make<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(download);
      } catch (error) {
        const wait = waitAfter(error, attempt);
        if (wait === undefined || attempt >= this.#maxAttempts || this.#budget < 1 || signal.aborted)
          throw error;
        this.#budget--;
        await setTimeout(wait, undefined, { signal }).catch(() => {
          throw error;
        });
      }
    }
  }

  async #once<T>(download: () => Promise<T>): Promise<T> {
    if (!this.#breaker.tryBegin())
      throw new DownloadError(
        "failed",
        `the source failed too often to be asked right now: ${this.#lastFailure}`,
      );
    try {
      const result = await download();
      this.#breaker.succeeded();
      this.#budget = Math.min(maxBudget, this.#budget + refill);
      return result;
    } catch (error) {
      // A sym file that is of no use was had all the same.
      if (error instanceof DownloadError && error.isTransient) {
        this.#lastFailure = error.message;
        this.#breaker.failed();
      } else this.#breaker.succeeded();
      throw error;
    }
  }
}

/** Milliseconds to wait after a failed attempt, undefined where another makes no sense. */
function waitAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof DownloadError) || !error.isTransient) return undefined;
  if (error.retryAfter !== undefined)
    return error.retryAfter > longestRetryAfter ? undefined : error.retryAfter;
  return Math.random() * Math.min(longestWait, firstWait * 2 ** attempt);
}
