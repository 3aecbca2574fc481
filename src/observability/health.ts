import type { SymcacheFolder } from "../diskCache/diskCache.ts";
import type { Converters } from "../symcache/convert/converterPool.ts";
import type { Lookups } from "../symcache/lookup/lookupPool.ts";
import type { SharedCache } from "../sharedCache/sharedCache.ts";
import type { Source } from "../sources/source.ts";
import { withTimeout } from "../async/withTimeout.ts";

type Level = "ok" | "warning" | "error";

/** What `/__heartbeat__` answers: the worst of its checks, and in words what is wrong. */
export interface Health {
  status: Level;
  checks: Record<string, Level>;
  details: Record<string, { status: Level; messages: string[] }>;
}

interface Parts {
  folder: SymcacheFolder;
  lookups: Lookups;
  converters: Converters;
  sources: Source[];
  sharedCache: SharedCache | undefined;
  /** How full they are, from 0 to 1. */
  queues: Record<string, () => number>;
}

/** Milliseconds that a check may take. */
const patience = 1000;
const nearlyFull = 0.8;
/** Milliseconds that an answer is good for: load balancers ask all the time. */
const freshness = 5000;

/** Looks at what the service can't do without, and at what it would miss. */
export class HealthCheck {
  readonly #parts: Parts;
  #latest: { at: number; health: Promise<Health> } | undefined;
  /** Checks that have not come to an end, by name. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  check(): Promise<Health> {
    const at = performance.now();
    if (!this.#latest || at - this.#latest.at > freshness) this.#latest = { at, health: this.#look() };
    return this.#latest.health;
  }

  /** What a check finds; one that throws, or takes too long, is found at `level`. */
  async #find(name: string, level: Level, check: () => Promise<void>): Promise<Finding> {
    try {
      await withTimeout(patience, this.#once(name, check), () => new Error(`no answer in ${patience} ms`));
      return { name, level: "ok" };
    } catch (error) {
      return { name, level, message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Joins a check that is still under way: each on a disk that hangs keeps one of the few threads that read and write files. */
  #once(name: string, check: () => Promise<void>): Promise<void> {
    const underWay = this.#underWay.get(name) ?? check().finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, underWay);
    return underWay;
  }

  async #look(): Promise<Health> {
    const { folder, lookups, converters, sources, sharedCache, queues } = this.#parts;
    const findings = await Promise.all([
      this.#find("cache_folder", "error", () => folder.checkWritable()),
      this.#find("disk_space", "warning", () => folder.checkSpace()),
      this.#find("lookup_threads", "error", () => lookups.selfTest()),
      this.#find("converter_threads", "error", () => converters.selfTest()),
      this.#find("sources", "warning", async () => {
        const faults = sources.flatMap(({ address, fault }) => (fault ? [`${address}: ${fault}`] : []));
        if (faults.length > 0) throw new Error(faults.join("; "));
      }),
      this.#find("shared_cache", "warning", async () => {
        if (sharedCache?.fault !== undefined) throw new Error(sharedCache.fault);
      }),
      this.#find("queues", "warning", async () => {
        const full = Object.entries(queues).filter(([, fill]) => fill() > nearlyFull);
        if (full.length > 0) throw new Error(`nearly full: ${full.map(([name]) => name).join(", ")}`);
      }),
    ]);
    const levels = findings.map(({ level }) => level);
    return {
      status: levels.includes("error") ? "error" : levels.includes("warning") ? "warning" : "ok",
      checks: Object.fromEntries(findings.map(({ name, level }) => [name, level])),
      details: Object.fromEntries(
        findings.flatMap(({ name, level, message }) =>
          message === undefined ? [] : [[name, { status: level, messages: [message] }]],
        ),
      ),
    };
  }
}

interface Finding {
  name: string;
  level: Level;
  message?: string;
}
