import { percentiles } from "../src/cli/load/percentiles.ts";
import { Random } from "../src/cli/makeRequests/random.ts";
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
  /** Modules that the store has at the beginning; undefined: there is no store. */
  store?: Set<number> | undefined;
  speeds?: Speeds;
}

export interface Figures extends Omit<Work, "underWay"> {
  /** Seconds until requests were answered. */
  p50: number;
  p99: number;
  /** The share of all requests that the instance got which got the most. */
  busiest: number;
}

/** Lets a fleet whose folders are empty answer the requests. Its instances have the default settings. */
export function simulate({ sizes, requests }: Trace, fleet: Fleet): Figures {
  const { balancer, speeds = measured, folderBytes, store } = fleet;
  const { sources, conversion } = readConfig({});
  const { maxDownloads } = sources;
  const converters = conversion.threads;
  const clock = new Clock();
  const random = new Random("speeds");
  const work: Work = {
    conversions: 0,
    atOnce: 0,
    bytesFromSource: 0,
    bytesFromStore: 0,
    underWay: new Map(),
  };
  const surroundings = {
    clock,
    speeds,
    sizes,
    folderBytes,
    maxDownloads,
    converters,
    store,
    work,
    about: (seconds: number) => seconds * (1 + speeds.spread * (2 * random.share() - 1)),
  };
  const instances = Array.from({ length: fleet.instances }, () => new Instance(surroundings));
  const underWay = instances.map(() => 0);
  const asked = instances.map(() => 0);
  const times: number[] = [];

  for (const request of requests)
    clock.in(request.at, () => {
      const chosen = balancer(request, underWay);
      underWay[chosen]!++;
      asked[chosen]!++;
      const answered = () => {
        underWay[chosen]!--;
        times.push(clock.now - request.at);
      };
      let missing = 0;
      const there = () => {
        if (--missing === 0) clock.in(speeds.lookup, answered);
      };
      for (const module of request.modules) if (!instances[chosen]!.get(module, there)) missing++;
      if (missing === 0) clock.in(speeds.lookup, answered);
    });
  clock.run();

  const { p50 = NaN, p99 = NaN } = percentiles(times) ?? {};
  const { underWay: _, ...done } = work;
  return { ...done, p50, p99, busiest: Math.max(...asked) / requests.length };
}
