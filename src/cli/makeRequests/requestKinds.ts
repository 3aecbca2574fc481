import { FrameMaker, type Frame, type Job } from "./frames.ts";
import type { SampledModule } from "./modules.ts";
import type { Random } from "./random.ts";

/** Makes a request of modules, the heaviest of which come first. `frames`: how many it should have, where that is asked for. */
type RequestMaker = (
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
) => Job | { jobs: Job[] };

export const kinds = ["profiler", "crash-ping"] as const;
export type Kind = (typeof kinds)[number];

export const defaultProfilerFrames = 5000;
const profilerDepth = { least: 20, most: 150 };
/** One stack in so many was sampled again, with nothing changed. */
const repeated = 20;

const crashPingJobs = 10;
const crashPingDepth = { least: 10, most: 60 };

export const makeRequest: Record<Kind, RequestMaker> = {
  /** One job of long stacks, each of which shares its outermost calls with the one before. */
  profiler(modules, random, frames = defaultProfilerFrames) {
    const maker = new FrameMaker(modules, random);
    const stacks: Frame[][] = [];
    let last: Frame[] = [];
    for (let left = frames; left > 0; left -= last.length) {
      const depth = Math.min(left, between(random, profilerDepth));
      if (random.below(repeated) > 0 || last.length === 0 || last.length > left) {
        const shared = last.slice(last.length - Math.min(depth, random.below(last.length + 1)));
        last = [...Array.from({ length: depth - shared.length }, () => maker.next()), ...shared];
      }
      stacks.push(last);
    }
    return { memoryMap: maker.memoryMap, stacks, version: 5 };
  },

  /** Ten jobs, each of the stack that crashed, with modules that it doesn't point into. */
  "crash-ping"(modules, random, frames) {
    const jobs = Array.from({ length: crashPingJobs }, (_, number): Job => {
      const [heaviest, ...others] = modules;
      const loaded = random.shuffle(others).slice(0, random.below(others.length + 1));
      const maker = new FrameMaker([heaviest as SampledModule, ...loaded], random);
      const depth =
        frames === undefined
          ? between(random, crashPingDepth)
          : Math.floor((frames * (number + 1)) / crashPingJobs) -
            Math.floor((frames * number) / crashPingJobs);
      return {
        memoryMap: maker.memoryMap,
        stacks: [Array.from({ length: depth }, () => maker.next())],
        version: 5,
      };
    });
    return { jobs };
  },
};

function between(random: Random, { least, most }: { least: number; most: number }): number {
  return least + random.below(most - least + 1);
}
