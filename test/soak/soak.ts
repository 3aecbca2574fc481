import { setTimeout } from "node:timers/promises";
import { startHarness } from "../support/harness.ts";
import { clientLimits } from "./client.ts";
import { askOn } from "./clients.ts";
import { Oracle } from "./oracle.ts";
import { folderBytes, type Population } from "./modules.ts";
import { sample, type Sample } from "./sample.ts";
import { Counters } from "./counters.ts";
import { isAtRest } from "./findings.ts";
import { faultLimits, FaultSchedule } from "./faultSchedule.ts";

export interface SoakOptions {
  minutes: number;
  seed: number;
  clients: number;
  population: Population;
  /** Seconds between two samples. */
  interval: number;
  /** What to start in place of the service itself. */
  command?: string[];
  onSample: (sample: Sample, counters: Counters, spell: string) => void;
  /** Ends it early. */
  signal: AbortSignal;
}

export interface Soak {
  counters: Counters;
  /** Faults that were served, by name. */
  faults: Map<string, number>;
  /** All symcaches that are asked for all the time are there, and all threads have started. */
  start: Sample;
  samples: Sample[];
  /** After the last request, once the service has closed what it doesn't use; absent where it was ended early. */
  rest?: Sample;
  /** That the service ended, in words. */
  crash?: string;
}

/** A small instance: what it holds is churned within minutes. */
const limits = {
  ...faultLimits,
  ...clientLimits,
  "diskCache.maxBytes": String(folderBytes),
  ELIOT_LOOKUP_MEMORY: "256mb",
  ELIOT_CONVERTER_MEMORY: "500mb",
  "sources.maxSymFileBytes": "150000000",
  "sources.maxDownloadBytes": "150000000",
};
/** Bounded as a service manager would. */
const withFewHandles = ["sh", "-c", 'ulimit -n 1024 && exec "$0" src/main.ts', process.execPath];
/** Milliseconds: symcaches stay open for 25 s, and a download may take its time to fail. */
const longestRest = 90_000;

/** Lets the service answer clients for so long while its symbol server fails in every way, and measures it. */
export async function soak(options: SoakOptions): Promise<Soak> {
  const {
    minutes,
    seed,
    clients,
    population,
    interval,
    command = withFewHandles,
    onSample,
    signal,
  } = options;
  const { steady, usual, large } = population;
  const modules = [...steady, ...usual, ...large];
  await using harness = await startHarness(modules, limits, () => command);
  const counters = new Counters();
  const faultSchedule = new FaultSchedule(harness, modules, seed);
  const measured = { pid: harness.service.pid, folder: harness.folder, counters };
  // All at once, so that all converters start.
  await Promise.all(steady.map((module) => harness.ask(module)));
  const result: Soak = {
    counters,
    faults: faultSchedule.faults,
    start: await sample(measured, 0),
    samples: [],
  };

  const begin = performance.now();
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal, AbortSignal.timeout(minutes * 60_000)]);
  const oracle = new Oracle(steady, faultSchedule, counters);
  const parts = { url: harness.service.url, population, faultSchedule, oracle, counters };
  let before = result.start;
  const next = async () => {
    harness.server.hits.length = 0;
    before = await sample(measured, (performance.now() - begin) / 60_000, before.minutes);
    onSample(before, counters, faultSchedule.spell);
    return before;
  };
  const watch = async () => {
    while (!over.aborted) {
      await setTimeout(interval * 1000, undefined, { signal: over }).catch(() => {});
      if (!over.aborted) result.samples.push(await next());
    }
  };
  const goThrough = async () => {
    await Promise.all([askOn(parts, clients, seed, over), faultSchedule.change(over), watch()]);
    const deadline = performance.now() + longestRest;
    while (!signal.aborted && performance.now() < deadline) {
      await setTimeout(1000, undefined, { signal }).catch(() => {});
      result.rest = await next();
      if (result.rest.symcacheHandles === 0 && isAtRest(result.start, result.rest)) break;
    }
  };
  const crash = harness.service.exit.then((code) =>
    code === null ? "the service was killed" : `the service ended by itself, with exit code ${code}`,
  );
  const going = goThrough().catch(async (error: unknown) => {
    // What fails because the service has just ended is no news.
    await setTimeout(1000);
    throw error;
  });
  const end = await Promise.race([going, crash]);
  if (typeof end === "string") result.crash = end;
  ended.abort();
  return result;
}
