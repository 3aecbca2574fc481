import type { SyntheticModule } from "../support/syntheticModule.ts";
import type { V5Response } from "../support/service.ts";
import { checkResponse } from "./checkResponse.ts";
import type { SoakRequest } from "./request.ts";
import type { Counters } from "./counters.ts";
import type { FaultSchedule } from "./faultSchedule.ts";

export interface Answered {
  status: number;
  isRetryAfterSaid: boolean;
  text: string;
  /** When it was asked for and when it had come, on the performance clock. */
  from: number;
  until: number;
}

/** Checks every response, and counts the results. */
export class Oracle {
  readonly #faultSchedule: FaultSchedule;
  readonly #counters: Counters;
  readonly #steady: Set<SyntheticModule>;
  /** Steady modules that were found: they are in the folder, and must stay there. */
  readonly #settled = new Set<SyntheticModule>();

  constructor(steady: SyntheticModule[], faultSchedule: FaultSchedule, counters: Counters) {
    this.#steady = new Set(steady);
    this.#faultSchedule = faultSchedule;
    this.#counters = counters;
  }

  /** Whether the status is one of those, or 503 with a Retry-After. */
  status({ status, isRetryAfterSaid, text, from, until }: Answered, ...allowed: number[]): boolean {
    this.#counters.answered(status, until - from);
    const isRight = allowed.includes(status) || (status === 503 && isRetryAfterSaid);
    if (!isRight) this.#counters.isWrong(`${status}: ${text.slice(0, 300)}`);
    return isRight && status !== 503;
  }

  /** Checks each frame and each module of a response. */
  check(asked: SoakRequest, answered: Answered): void {
    if (!this.status(answered, 200)) return;
    try {
      const response = JSON.parse(answered.text) as unknown;
      const { found, bare } = checkResponse(asked, response);
      for (const module of found) if (this.#steady.has(module)) this.#settled.add(module);
      const { debug } = response as Partial<SoakDebug>;
      for (const module of bare) this.#excuse(module, answered, debug);
      if (debug) this.#count(debug, answered);
    } catch (error) {
      this.#counters.isWrong(`${asked.version}: ${String(error)}`);
    }
  }

  #excuse(module: SyntheticModule | undefined, { from, until }: Answered, debug?: SoakDebug["debug"]): void {
    if (!module) return;
    const { status, reason } = debug?.modules.status_per_module[module.key] ?? {};
    const said = status === undefined ? "" : ` (${status}: ${reason})`;
    if (this.#settled.has(module))
      throw new Error(`no symbols of ${module.name}, which is in the folder${said}`);
    if (!this.#faultSchedule.excuses(module, from, until))
      throw new Error(`no symbols of ${module.name}, though the symbol server is well${said}`);
  }

  #count(debug: SoakDebug["debug"], { from, until }: Answered): void {
    for (const { status } of Object.values(debug.modules.status_per_module)) this.#counters.module(status);
    if (debug.downloads.count === 0) this.#counters.cached(until - from);
  }
}

type SoakDebug = {
  debug: V5Response["debug"] & { downloads: { count: number } };
};
