import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { downloadFaults, wholeDownloads, type DownloadFault } from "../support/downloadFaults.ts";
import type { SyntheticModule } from "../support/syntheticModule.ts";
import { Random } from "../support/scale.ts";
import type { Harness } from "../support/harness.ts";
import { reply, type Script } from "../support/symbolServer.ts";
import { count } from "./counters.ts";

/** What the symbol server does for a while; `faults`: of a hundred downloads so many fail. */
interface Spell {
  name: string;
  seconds: [least: number, most: number];
  faults: number;
  isAway?: boolean;
}

const calm: Spell = { name: "calm", seconds: [45, 90], faults: 0 };
const spells: Spell[] = [
  { name: "some faults", seconds: [20, 60], faults: 5 },
  { name: "many faults", seconds: [5, 20], faults: 60 },
  { name: "an outage", seconds: [3, 15], faults: 0, isAway: true },
  { name: "a restart", seconds: [0.1, 0.5], faults: 0, isAway: true },
];

/**
 * Limits of the service in which faults pass, and the milliseconds in which they do: after a download's deadline, a wait
 * before the next attempt, and then the breaker's cooldown or the memory of a failure.
 */
export const faultLimits = {
  "sources.connectTimeoutMs": "5000",
  "sources.headersTimeoutMs": "5000",
  "sources.stallTimeoutMs": "5000",
  "sources.downloadTimeoutMs": "20000",
  "sources.breakerCooldownMs": "3000",
  "sources.downloadFailedTtlMs": "5000",
  "sources.notFoundTtlMs": "600000",
};
const passing = 35_000;
const remembered = 600_000 + passing;

/** Milliseconds between two looks at the clock, and how late that must be to be a stall. */
const clockInterval = 500;
const late = 1_000;

/** Bytes of sym files for which every fault and every form is made; larger ones have few of their own. */
const small = 200_000;
/** Of one the redirects would count on among the others. */
const forms = wholeDownloads.filter(([how]) => !how.includes("redirects"));

/**
 * The faults of the symbol server, in spells, and what they excuse. What it does at each asking for a module is the same
 * for the same seed in the same spell.
 */
export class FaultSchedule {
  /** Faults that were served so far, by name. */
  readonly faults = new Map<string, number>();
  readonly #harness: Harness;
  readonly #seed: number;
  #spell = calm;
  /** On the performance clock: when any module may be bare. */
  readonly #troubles: { from: number; until: number }[] = [];
  /** By module: how long it may be bare for what was served for itself. */
  readonly #excusedUntil = new Map<SyntheticModule, number>();

  constructor(harness: Harness, modules: SyntheticModule[], seed: number) {
    this.#harness = harness;
    this.#seed = seed;
    for (const [number, module] of modules.entries()) harness.fault(module, this.#serve(module, number));
  }

  get spell(): string {
    return this.#spell.name;
  }

  /** Lets spell follow spell until `signal` says otherwise; then all is well. */
  async change(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#changeSpells(signal), this.#watchClock(signal)]);
    this.#spell = calm;
  }

  async #changeSpells(signal: AbortSignal): Promise<void> {
    const random = new Random(1, this.#seed);
    for (let turn = 0; !signal.aborted; turn++) {
      this.#spell = turn % 2 === 0 ? calm : random.pick(spells);
      const [least, most] = this.#spell.seconds;
      const milliseconds = 1000 * (least + ((most - least) * random.below(1000)) / 1000);
      const wait = setTimeout(milliseconds, undefined, { signal }).catch(() => {});
      if (this.#spell.isAway) await this.#away(wait);
      else await wait;
    }
  }

  /** Where others use the machine so much that even this is late, a symbol server that is well looks as if it stalled. */
  async #watchClock(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = performance.now();
      await setTimeout(clockInterval, undefined, { signal }).catch(() => {});
      const until = performance.now();
      if (until - from < clockInterval + late) continue;
      count(this.faults, "a stall of the machine");
      this.#troubles.push({ from, until: until + passing });
    }
  }

  /** Any module may be bare from now on, until so many milliseconds after what this gives was called. */
  excuseAll(milliseconds: number): () => void {
    const trouble = { from: performance.now(), until: Infinity };
    this.#troubles.push(trouble);
    return () => {
      trouble.until = performance.now() + milliseconds;
    };
  }

  /** Whether a request that was under way between two times may have no symbols of a module. */
  excuses(module: SyntheticModule, from: number, until: number): boolean {
    if ((this.#excusedUntil.get(module) ?? 0) >= from) return true;
    return this.#troubles.some((trouble) => trouble.from <= until && trouble.until >= from);
  }

  async #away(wait: Promise<void>): Promise<void> {
    count(this.faults, this.#spell.name);
    const over = this.excuseAll(passing);
    const listenAgain = await this.#harness.server.stop();
    await wait;
    await listenAgain();
    over();
  }

  #serve(module: SyntheticModule, number: number): Script {
    let hits = 0;
    const whole = number % 2 === 0 ? keptOpen(module) : compressed(module);
    return async (socket, path) => {
      const random = new Random(number * 1_000_003 + hits++, this.#seed);
      const isFault = random.below(100) < this.#spell.faults;
      await (isFault ? this.#fault(module, random) : this.#form(module, random, whole))(socket, path);
    };
  }

  #form(module: SyntheticModule, random: Random, whole: Script): Script {
    const [, form] = random.pick(forms);
    return module.symFile.length < small && random.below(3) === 0 ? form(module) : whole;
  }

  #fault(module: SyntheticModule, random: Random): Script {
    const choices = module.symFile.length < small ? downloadFaults : largeFaults;
    const { what, script, isRemembered } = random.pick(choices);
    const now = performance.now();
    count(this.faults, what);
    this.excuseAll(passing)();
    this.#excusedUntil.set(
      module,
      Math.max(this.#excusedUntil.get(module) ?? 0, now + (isRemembered ? remembered : passing)),
    );
    return script(module);
  }
}

const largeFaults: Pick<DownloadFault, "what" | "script" | "isRemembered">[] = [
  { what: "503 Busy", script: () => reply("503 Busy") },
  { what: "a reset far in", script: (module) => half(module, (socket) => socket.resetAndDestroy()) },
  { what: "a stall far in", script: (module) => half(module, () => {}) },
];

/** Half of a sym file, and then something else. */
function half({ symFile }: SyntheticModule, then: (socket: Socket) => unknown): Script {
  return (socket) => {
    socket.write(head(symFile.length));
    socket.write(symFile.slice(0, symFile.length / 2), "latin1", () => then(socket));
  };
}

/** A whole sym file, and the connection stays open for the next. */
function keptOpen({ symFile }: SyntheticModule): Script {
  return (socket) => {
    socket.write(head(symFile.length));
    socket.write(symFile, "latin1");
  };
}

function compressed({ symFile }: SyntheticModule): Script {
  let bytes: Uint8Array | undefined;
  return (socket, path) => {
    bytes ??= gzipSync(symFile, { level: 1 });
    return reply("200 OK", bytes, { "Content-Encoding": "gzip" })(socket, path);
  };
}

function head(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
}
