import { Random } from "../src/cli/makeRequests/random.ts";

export interface Request {
  /** Seconds since the beginning. */
  at: number;
  /** By their numbers. The first one is what a load balancer can see. */
  modules: number[];
}

export interface Trace {
  /** Bytes of each module's symcache. */
  sizes: number[];
  requests: Request[];
}

type Span = [from: number, to: number];

export interface Group {
  modules: number;
  bytes: Span;
  /** How many of them a request has, fewer where one is drawn twice. */
  asked: number;
}

export interface Population {
  requests: number;
  rate: number;
  builds: number;
  program: Span;
  libxul: Span;
  large: Group;
  small: Group;
  system: Group;
}

/**
 * Crash pings of many builds. The builds are asked for by Zipf's law, and so are, within the system's modules and each
 * build's small ones, the modules: as in real symbols a build has one that is larger than all others together.
 */
export const crashPings: Population = {
  requests: 20_000,
  /** Requests a second on average, at random moments. */
  rate: 2,
  builds: 300,
  /** Each build's own: the program, libxul, and libraries of which some are large. Bytes from and to. */
  program: [50e3, 1e6],
  libxul: [250e6, 480e6],
  large: { modules: 4, bytes: [5e6, 50e6], asked: 2 },
  small: { modules: 30, bytes: [20e3, 5e6], asked: 6 },
  /** What all builds share. */
  system: { modules: 2000, bytes: [20e3, 5e6], asked: 10 },
};

/** The same for the same seed. */
export function makeTrace(population: Population, seed: string): Trace {
  const random = new Random(seed);
  const sizes: number[] = [];
  const add = ([from, to]: Span) => sizes.push(Math.round(from * (to / from) ** random.share())) - 1;
  const addAll = ({ modules, bytes }: Group) => Array.from({ length: modules }, () => add(bytes));

  const { builds, program, libxul, large, small, system } = population;
  const shared = addAll(system);
  const own = Array.from({ length: builds }, () => ({
    program: add(program),
    libxul: add(libxul),
    large: addAll(large),
    small: addAll(small),
  }));

  const draw = {
    builds: zipf(builds, random),
    large: zipf(large.modules, random),
    small: zipf(small.modules, random),
    system: zipf(system.modules, random),
  };
  const some = (modules: number[], count: number, next: () => number) =>
    Array.from({ length: count }, () => modules[next()]!);
  let at = 0;
  const requests = Array.from({ length: population.requests }, () => {
    at -= Math.log(1 - random.share()) / population.rate;
    const build = own[draw.builds()]!;
    const modules = new Set([
      build.program,
      build.libxul,
      ...some(build.large, large.asked, draw.large),
      ...some(build.small, small.asked, draw.small),
      ...some(shared, system.asked, draw.system),
    ]);
    return { at, modules: [...modules] };
  });
  return { sizes, requests };
}

/** Draws numbers from 0 to `count` − 1, the one at place n 1/(n + 1) times as often as the first. */
function zipf(count: number, random: Random): () => number {
  let sum = 0;
  const upTo = Float64Array.from({ length: count }, (_, place) => (sum += 1 / (place + 1)));
  return () => {
    const drawn = random.share() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
