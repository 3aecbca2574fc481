import { percentiles } from "../loadTesting/load/percentiles.ts";
import { Random } from "../loadTesting/makeRequests/random.ts";
import { readConfig } from "../src/config/readConfig.ts";
import type { Balancer } from "./balancers.ts";
import { Clock } from "./clock.ts";
import { Instance, type Work } from "./instance.ts";
import { measured, type Speeds } from "./speeds.ts";
import type { Trace } from "./trace.ts";

export interface Fleet {
  instances: number;
  folderBytes: number;
  balancer: Balancer;
  /** Modules that are in the shared cache at the beginning; undefined: there is no shared cache. */
  store?: Set<number> | undefined;
  speeds?: Speeds;
}

export interface Result extends Omit<Work, "inProgress"> {
  /** Percentiles of response times, in seconds. */
  p50: number;
  p99: number;
  /** The busiest instance's share of all requests. */
  busiest: number;
}

/** Runs a trace against a fleet with empty cache folders and default settings. */
export function simulate({ sizes, requests }: Trace, fleet: Fleet): Result {
  const { balancer, speeds = measured, folderBytes, store } = fleet;
  const { sources, conversion } = readConfig({});
  const { maxDownloads } = sources;
  const converters = conversion.threads;
  const clock = new Clock();
  const random = new Random("speeds");
  const work: Work = {
    conversions: 0,
    duplicates: 0,
    downloadedBytes: 0,
    fetchedBytes: 0,
    inProgress: new Map(),
  };
  const state = {
    clock,
    speeds,
    sizes,
    folderBytes,
    maxDownloads,
    converters,
    store,
    work,
    jitter: (seconds: number) => seconds * (1 + speeds.jitter * (2 * random.share() - 1)),
  };
  const instances = Array.from({ length: fleet.instances }, () => new Instance(state));
  const inFlight = instances.map(() => 0);
  const requestCounts = instances.map(() => 0);
  const responseTimes: number[] = [];

  for (const request of requests)
    clock.in(request.at, () => {
      const index = balancer(request, inFlight);
      inFlight[index]!++;
      requestCounts[index]!++;
      const respond = () => {
        inFlight[index]!--;
        responseTimes.push(clock.now - request.at);
      };
      let missing = 0;
      const onReady = () => {
        if (--missing === 0) clock.in(speeds.lookup, respond);
      };
      for (const module of request.modules) if (!instances[index]!.get(module, onReady)) missing++;
      if (missing === 0) clock.in(speeds.lookup, respond);
    });
  clock.run();

  const { p50 = NaN, p99 = NaN } = percentiles(responseTimes) ?? {};
  const { inProgress: _, ...totals } = work;
  return { ...totals, p50, p99, busiest: Math.max(...requestCounts) / requests.length };
}
