import { setTimeout } from "node:timers/promises";
import { CircuitBreaker } from "../async/circuitBreaker.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { SourceSettings } from "../config/sources.ts";
import { DownloadError } from "./downloadError.ts";

const policy = retryPolicy.source;

/** Retries transient failures of one source, within a budget that limits the load on a source that keeps failing. */
export class Attempts {
  readonly #maxAttempts: number;
  readonly #breaker: CircuitBreaker;
  #budget = policy.retryBudget;

  constructor({ downloadAttempts, breakerCooldownMs }: SourceSettings) {
    this.#maxAttempts = downloadAttempts;
    this.#breaker = new CircuitBreaker(policy.failuresToOpenCircuit, breakerCooldownMs);
  }

  /** The source has responded to a download that is in flight, with a status that isn't a failure. */
  responded(): void {
    this.#breaker.responded();
  }

  /** Runs `download` until it succeeds, fails for good or `signal` is aborted. Throws the last error. */
  async run<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#runOnce(download);
      } catch (error) {
        const delayMs = delayAfter(error, attempt);
        const minBudget = isOfBody(error) ? policy.retryBudget / 2 : 1;
        if (
          delayMs === undefined ||
          attempt >= this.#maxAttempts ||
          this.#budget < minBudget ||
          signal.aborted
        )
          throw error;
        this.#budget--;
        await setTimeout(delayMs, undefined, { signal }).catch(() => {
          throw error;
        });
      }
    }
  }

  async #runOnce<T>(download: () => Promise<T>): Promise<T> {
    if (!this.#breaker.tryBegin())
      throw new DownloadError("failed", `skipped after repeated failures: ${this.#breaker.fault}`);
    try {
      const result = await download();
      this.#breaker.ended();
      this.#budget = Math.min(policy.retryBudget, this.#budget + policy.refillPerSuccess);
      return result;
    } catch (error) {
      // Any other error is about a file that the source did send: a few damaged ones must not hide all others.
      const isFault = error instanceof DownloadError && error.isTransient && !isOfBody(error);
      this.#breaker.ended(isFault ? error.message : undefined);
      throw error;
    }
  }
}

function isOfBody(error: unknown): boolean {
  return error instanceof DownloadError && error.isOfBody;
}

/** Undefined if another attempt is pointless. */
function delayAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof DownloadError) || !error.isTransient) return undefined;
  if (error.retryAfter !== undefined)
    return error.retryAfter > policy.maxRetryAfterMs ? undefined : error.retryAfter;
  return Math.random() * Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** attempt);
}
