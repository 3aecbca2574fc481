import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { functionBytes, startOf, type SyntheticModule } from "../support/syntheticModule.ts";
import type { Random } from "../support/scale.ts";
import { absentModule, logarithmic, pickUsual, type Population } from "./modules.ts";

export interface AskedJob {
  memoryMap: [debugFilename: string, debugId: string][];
  stacks: [moduleIndex: number, moduleOffset: number][][];
  /** By position in the memory map; undefined where no source has symbols. */
  modules: (SyntheticModule | undefined)[];
}

/** A request as it is sent, and what is asked in it. */
export interface SoakRequest {
  version: "v4" | "v5";
  jobs: AskedJob[];
  body: Uint8Array;
  headers: Record<string, string>;
}

/** Addresses of one library, as the Firefox profiler sends them. */
const profilerHeaders = { "content-type": "text/plain;charset=UTF-8", "user-agent": "FirefoxProfiler/1.0" };
const pingHeaders = { "content-type": "application/json", "user-agent": "fx-crash-sig/1.0.2" };
const wholeBody = (body: Uint8Array) => body;
const encoders: Record<string, (body: Uint8Array) => Uint8Array> = {
  identity: wholeBody,
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  zstd: (body) => zstdCompressSync(body),
};
/** One request in so many asks for a large module, or for very many frames. */
const rarely = 20;
const mostFrames = 60_000;

/** The requests of one profile, all sent at once: up to ten jobs in each, a module and a stack in each job. */
export function profile(random: Random, population: Population): SoakRequest[] {
  return Array.from({ length: 1 + random.below(4) }, () => {
    const isRare = random.below(rarely) === 0;
    const modules = isRare
      ? [random.pick([...population.large, ...population.steady])]
      : [random.pick(population.steady), ...pickUsual(random.below(10), population, random)];
    const jobs = modules.map((module) => {
      const frames = logarithmic(random, isRare ? mostFrames : 1_000);
      return jobOf([module], [Array.from({ length: frames }, () => [0, offsetIn(module, random)])]);
    });
    return requestOf("v5", jobs, random, profilerHeaders);
  });
}

/** Ten crash pings: each has many modules and a few stacks of up to 40 frames, some of which point nowhere. */
export function crashPings(random: Random, population: Population): SoakRequest {
  const shared = [...population.steady, ...pickUsual(5, population, random)];
  if (random.below(rarely) === 0) shared.push(random.pick(population.large));
  const jobs = Array.from({ length: 10 }, () => pingJob(shared, random, population));
  return requestOf("v5", jobs, random, pingHeaders);
}

/** What clients of long ago send: a bare job. */
export function oldRequest(random: Random, population: Population): SoakRequest {
  const shared = [...population.steady, ...pickUsual(5, population, random)];
  return requestOf("v4", [pingJob(shared, random, population)], random, pingHeaders);
}

/** A request of a single steady module, of which many fit. */
export function smallRequest(random: Random, { steady }: Population): SoakRequest {
  const module = random.pick(steady);
  return requestOf("v5", [jobOf([module], [[[0, offsetIn(module, random)]]])], random, {});
}

function pingJob(shared: SyntheticModule[], random: Random, population: Population): AskedJob {
  const job = jobOf([...new Set([...shared, ...pickUsual(random.below(4), population, random)])], []);
  // Some that are asked for again and again, and now and then one that nobody ever asked for.
  const absent = [random.pick(population.absent)];
  if (random.below(20) === 0) absent.push(absentModule(1000 + random.below(1e9)));
  job.memoryMap.push(...absent);
  job.modules.push(...absent.map(() => undefined));
  job.stacks = Array.from({ length: 1 + random.below(2) }, () =>
    Array.from({ length: 1 + random.below(40) }, () => {
      const index = random.below(job.modules.length + 1) - 1;
      return [index, offsetIn(job.modules[index], random)];
    }),
  );
  return job;
}

function jobOf(modules: SyntheticModule[], stacks: AskedJob["stacks"]): AskedJob {
  return { memoryMap: modules.map(({ name, id }) => [name, id]), stacks, modules };
}

/** Anywhere in a function of the module; anywhere at all where there is none. */
function offsetIn(module: SyntheticModule | undefined, random: Random): number {
  return startOf(random.below(module?.functions ?? 1e6)) + random.below(functionBytes);
}

function requestOf(
  version: SoakRequest["version"],
  jobs: AskedJob[],
  random: Random,
  client: Record<string, string>,
): SoakRequest {
  const sent = jobs.map(({ memoryMap, stacks }) => ({ memoryMap, stacks }));
  const text = JSON.stringify(version === "v4" ? sent[0] : { jobs: sent });
  const encoding = random.below(2) === 0 ? "identity" : random.pick(Object.keys(encoders));
  const headers: Record<string, string> = { ...client };
  if (encoding !== "identity") headers["content-encoding"] = encoding;
  if (version === "v5" && random.below(2) === 0) headers["debug"] = "true";
  return { version, jobs, body: (encoders[encoding] ?? wholeBody)(Buffer.from(text)), headers };
}
