import { withTimeout } from "../async/withTimeout.ts";

type Level = "ok" | "warning" | "error";

/** The body of `/__heartbeat__`: the worst result of all checks, and what is wrong. */
export interface Health {
  status: Level;
  checks: Record<string, Level>;
  details: Record<string, { status: Level; messages: string[] }>;
}

export interface Check {
  name: string;
  /** How bad it is if the check fails; `ok` if it only has something to tell. */
  level: Level;
  /** Throws if something is wrong, or to be told. */
  check: () => Promise<void>;
}

interface Result {
  name: string;
  level: Level;
  message?: string;
}

const checkTimeoutMs = 1000;
/** Load balancers ask all the time: reuse a result for this long. */
const cacheMs = 5000;

/** Runs the service's health checks. */
export class HealthCheck {
  readonly #checks: Check[];
  #latest: { at: number; health: Promise<Health> } | undefined;
  /** Checks that haven't ended, by name. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(checks: Check[]) {
    this.#checks = checks;
  }

  check(): Promise<Health> {
    const at = performance.now();
    if (!this.#latest || at - this.#latest.at > cacheMs) this.#latest = { at, health: this.#checkAll() };
    return this.#latest.health;
  }

  async #checkAll(): Promise<Health> {
    const results = await Promise.all(this.#checks.map((check) => this.#run(check)));
    const levels = results.map(({ level }) => level);
    return {
      status: levels.includes("error") ? "error" : levels.includes("warning") ? "warning" : "ok",
      checks: Object.fromEntries(results.map(({ name, level }) => [name, level])),
      details: Object.fromEntries(
        results.flatMap(({ name, level, message }) =>
          message === undefined ? [] : [[name, { status: level, messages: [message] }]],
        ),
      ),
    };
  }

  async #run({ name, level, check }: Check): Promise<Result> {
    try {
      const late = () => new Error(`no result within ${checkTimeoutMs} ms`);
      await withTimeout(checkTimeoutMs, this.#joinRunning(name, check), late);
      return { name, level: "ok" };
    } catch (error) {
      return { name, level, message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Joins a check that is still running: on a disk that hangs, each new one would block another file I/O thread. */
  #joinRunning(name: string, check: () => Promise<void>): Promise<void> {
    const running = this.#running.get(name) ?? check().finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }
}
