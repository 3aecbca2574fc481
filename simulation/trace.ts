import { Random } from "../loadTesting/makeRequests/random.ts";

export interface Request {
  /** Seconds since the beginning. */
  at: number;
  /** Indexes of modules. A load balancer can see the first one. */
  modules: number[];
}

export interface Trace {
  /** Bytes of each module's symcache. */
  sizes: number[];
  requests: Request[];
}

type Range = [from: number, to: number];

export interface ModuleGroup {
  modules: number;
  bytes: Range;
  /** How many of them are drawn for a request; it has fewer if one is drawn twice. */
  perRequest: number;
}

export interface Workload {
  requests: number;
  /** Requests per second on average, at random times. */
  rate: number;
  builds: number;
  /** Modules of each build: the program, libxul, and other libraries. */
  program: Range;
  libxul: Range;
  large: ModuleGroup;
  small: ModuleGroup;
  /** Modules that all builds share. */
  system: ModuleGroup;
}

/**
 * Crash pings of many builds. Builds, and modules within a group, are drawn by Zipf's law. As with real symbols, each
 * build has one module that is larger than all its others together.
 */
export const crashPings: Workload = {
  requests: 20_000,
  rate: 2,
  builds: 300,
  program: [50e3, 1e6],
  libxul: [250e6, 480e6],
  large: { modules: 4, bytes: [5e6, 50e6], perRequest: 2 },
  small: { modules: 30, bytes: [20e3, 5e6], perRequest: 6 },
  system: { modules: 2000, bytes: [20e3, 5e6], perRequest: 10 },
};

/** The same seed gives the same trace. */
export function generateTrace(workload: Workload, seed: string): Trace {
  const random = new Random(seed);
  const sizes: number[] = [];
  const add = ([from, to]: Range) => sizes.push(Math.round(from * (to / from) ** random.share())) - 1;
  const addAll = ({ modules, bytes }: ModuleGroup) => Array.from({ length: modules }, () => add(bytes));

  const { program, libxul, large, small, system } = workload;
  const systemModules = addAll(system);
  const builds = Array.from({ length: workload.builds }, () => ({
    program: add(program),
    libxul: add(libxul),
    large: addAll(large),
    small: addAll(small),
  }));

  const draw = {
    build: zipf(workload.builds, random),
    large: zipf(large.modules, random),
    small: zipf(small.modules, random),
    system: zipf(system.modules, random),
  };
  const drawModules = (modules: number[], count: number, next: () => number) =>
    Array.from({ length: count }, () => modules[next()]!);
  let at = 0;
  const requests = Array.from({ length: workload.requests }, () => {
    at -= Math.log(1 - random.share()) / workload.rate;
    const build = builds[draw.build()]!;
    const modules = new Set([
      build.program,
      build.libxul,
      ...drawModules(build.large, large.perRequest, draw.large),
      ...drawModules(build.small, small.perRequest, draw.small),
      ...drawModules(systemModules, system.perRequest, draw.system),
    ]);
    return { at, modules: [...modules] };
  });
  return { sizes, requests };
}

/** Draws indexes below `count`; index n is 1/(n + 1) times as likely as index 0. */
function zipf(count: number, random: Random): () => number {
  let sum = 0;
  const cumulative = Float64Array.from({ length: count }, (_, index) => (sum += 1 / (index + 1)));
  return () => {
    const drawn = random.share() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
