import { setImmediate } from "node:timers/promises";
import { moduleId } from "../identity/moduleId.ts";
import { textLeft } from "../symcache/lookup/locations.ts";
import type { GroupedJobs } from "./groupFrames.ts";
import { entryAt } from "./job.ts";
import type { ModuleLookup, Resolver } from "../modules/resolver.ts";

/** Concurrent lookups of one request. */
const maxConcurrentLookups = 500;
/** Lookups that start before other requests can run. */
const lookupsPerYield = 100;

/** Jobs with the lookups of their modules. */
export interface SymbolicatedJobs extends GroupedJobs {
  /** Per module, in the order of `modules`: its lookup, with the source locations of its offsets. */
  lookups: ModuleLookup[];
}

/** Memory of the source locations. */
export function locationBytes({ lookups }: SymbolicatedJobs): number {
  return lookups.reduce(
    (sum, { result }) => sum + ("locations" in result ? result.locations.text.buffer.byteLength : 0),
    0,
  );
}

/**
 * Looks up the frames of all jobs, module by module, concurrently. A module without symbols is not an error. Throws an
 * ResultTooLarge if the source locations have more than `maxBytes` of text.
 */
export async function symbolicate(
  jobs: GroupedJobs,
  resolver: Pick<Resolver, "lookUp">,
  maxBytes: number,
): Promise<SymbolicatedJobs> {
  const { modules, offsets, offsetStarts } = jobs;
  const lookups: ModuleLookup[] = Array.from({ length: modules.keyEnds.length });
  const indexes = lookups.keys();
  const usage = { misses: 0, textLeft: textLeft(maxBytes) };
  let yielding: Promise<void> | undefined;
  const lookUpNext = async () => {
    for (const index of indexes) {
      if (index > 0 && index % lookupsPerYield === 0) yielding = setImmediate();
      await yielding;
      const ofModule = offsets.slice(offsetStarts[index], offsetStarts[index + 1]);
      const module = moduleId(...entryAt(modules, index));
      lookups[index] = await resolver.lookUp(module, ofModule, usage);
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrentLookups, lookups.length) }, lookUpNext));
  return { ...jobs, lookups };
}
