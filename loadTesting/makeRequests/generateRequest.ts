import { FrameGenerator, type Frame, type Job } from "./frames.ts";
import type { SampledModule } from "./modules.ts";
import type { Random } from "./random.ts";

/** `modules`: most functions first. `frames`: the requested number, if any. */
type RequestGenerator = (
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
) => Job | { jobs: Job[] };

export const kinds = ["profiler", "crash-ping"] as const;
export type Kind = (typeof kinds)[number];

export const defaultProfilerFrames = 5000;
const profilerDepth = { min: 20, max: 150 };
/** One in this many stacks is an exact repetition. */
const repeatInterval = 20;

const crashPingJobs = 10;
const crashPingDepth = { min: 10, max: 60 };

export const generateRequest: Record<Kind, RequestGenerator> = {
  /** One job with long stacks, each of which shares its outermost calls with the previous one. */
  profiler(modules, random, frames = defaultProfilerFrames) {
    const generator = new FrameGenerator(modules, random);
    const stacks: Frame[][] = [];
    let last: Frame[] = [];
    for (let left = frames; left > 0; left -= last.length) {
      const depth = Math.min(left, between(random, profilerDepth));
      if (random.below(repeatInterval) > 0 || last.length === 0 || last.length > left) {
        const shared = last.slice(last.length - Math.min(depth, random.below(last.length + 1)));
        last = [...Array.from({ length: depth - shared.length }, () => generator.next()), ...shared];
      }
      stacks.push(last);
    }
    return { memoryMap: generator.memoryMap, stacks, version: 5 };
  },

  /** Ten jobs, each with one stack and some modules without frames. */
  "crash-ping"(modules, random, frames) {
    const jobs = Array.from({ length: crashPingJobs }, (_, index): Job => {
      const [heaviest, ...others] = modules;
      const loaded = random.shuffle(others).slice(0, random.below(others.length + 1));
      const generator = new FrameGenerator([heaviest as SampledModule, ...loaded], random);
      const depth =
        frames === undefined
          ? between(random, crashPingDepth)
          : Math.floor((frames * (index + 1)) / crashPingJobs) - Math.floor((frames * index) / crashPingJobs);
      return {
        memoryMap: generator.memoryMap,
        stacks: [Array.from({ length: depth }, () => generator.next())],
        version: 5,
      };
    });
    return { jobs };
  },
};

function between(random: Random, { min, max }: { min: number; max: number }): number {
  return min + random.below(max - min + 1);
}
