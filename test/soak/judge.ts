import type { MadeModule } from "../faults/madeModule.ts";
import type { V5Answer } from "../service.ts";
import { checkAnswer } from "./checkAnswer.ts";
import type { SoakRequest } from "./request.ts";
import type { Tally } from "./tally.ts";
import type { Weather } from "./weather.ts";

export interface Answered {
  status: number;
  isRetryAfterSaid: boolean;
  text: string;
  /** When it was asked for and when it had come, on the performance clock. */
  from: number;
  until: number;
}

/** Says of every answer whether it is right, and counts. */
export class Judge {
  readonly #weather: Weather;
  readonly #tally: Tally;
  readonly #steady: Set<MadeModule>;
  /** Steady modules that were found: they are in the folder, and must stay there. */
  readonly #settled = new Set<MadeModule>();

  constructor(steady: MadeModule[], weather: Weather, tally: Tally) {
    this.#steady = new Set(steady);
    this.#weather = weather;
    this.#tally = tally;
  }

  /** Whether the status is one of those, or 503 with a Retry-After. */
  status({ status, isRetryAfterSaid, text, from, until }: Answered, ...allowed: number[]): boolean {
    this.#tally.answered(status, until - from);
    const isRight = allowed.includes(status) || (status === 503 && isRetryAfterSaid);
    if (!isRight) this.#tally.isWrong(`${status}: ${text.slice(0, 300)}`);
    return isRight && status !== 503;
  }

  /** Looks at each frame and each module of an answer to what was asked. */
  answer(asked: SoakRequest, answered: Answered): void {
    if (!this.status(answered, 200)) return;
    try {
      const answer = JSON.parse(answered.text) as unknown;
      const { found, bare } = checkAnswer(asked, answer);
      for (const module of found) if (this.#steady.has(module)) this.#settled.add(module);
      const { debug } = answer as Partial<SoakDebug>;
      for (const module of bare) this.#excuse(module, answered, debug);
      if (debug) this.#count(debug, answered);
    } catch (error) {
      this.#tally.isWrong(`${asked.version}: ${String(error)}`);
    }
  }

  #excuse(module: MadeModule | undefined, { from, until }: Answered, debug?: SoakDebug["debug"]): void {
    if (!module) return;
    const { status, reason } = debug?.modules.status_per_module[module.key] ?? {};
    const said = status === undefined ? "" : ` (${status}: ${reason})`;
    if (this.#settled.has(module))
      throw new Error(`no symbols of ${module.name}, which is in the folder${said}`);
    if (!this.#weather.excuses(module, from, until))
      throw new Error(`no symbols of ${module.name}, though the symbol server is well${said}`);
  }

  #count(debug: SoakDebug["debug"], { from, until }: Answered): void {
    for (const { status } of Object.values(debug.modules.status_per_module)) this.#tally.module(status);
    if (debug.downloads.count === 0) this.#tally.cached(until - from);
  }
}

type SoakDebug = {
  debug: V5Answer["debug"] & { downloads: { count: number } };
};
