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

export interface SymbolicateOptions {
  /** Of the source locations' text. */
  maxBytes: number;
  /** Charges the memory of source locations to the request; modules for which it returns false are `overloaded`. */
  reserve?: (bytes: number) => boolean;
  /** What takes turns with others for downloads and lookups; by default this call. */
  owner?: unknown;
  /** Aborted when nobody needs the result any more. */
  signal?: AbortSignal;
}

/**
 * Looks up the frames of all jobs, module by module, concurrently. A module without symbols is not an error. Throws a
 * ResultTooLarge if the source locations have more than `maxBytes` of text, or the signal's reason.
 */
export async function symbolicate(
  jobs: GroupedJobs,
  resolver: Pick<Resolver, "lookUp">,
  { maxBytes, reserve = () => true, owner = {}, signal = new AbortController().signal }: SymbolicateOptions,
): Promise<SymbolicatedJobs> {
  const { modules, offsets, offsetStarts } = jobs;
  const lookups: ModuleLookup[] = Array.from({ length: modules.keyEnds.length });
  const indexes = lookups.keys();
  const usage = { misses: 0, owner, textLeft: textLeft(maxBytes), reserve, signal };
  let yielding: Promise<void> | undefined;
  const lookUpNext = async () => {
    for (const index of indexes) {
      if (index > 0 && index % lookupsPerYield === 0) yielding = setImmediate();
      await yielding;
      signal.throwIfAborted();
      const ofModule = offsets.slice(offsetStarts[index], offsetStarts[index + 1]);
      const module = moduleId(...entryAt(modules, index));
      lookups[index] = await resolver.lookUp(module, ofModule, usage);
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrentLookups, lookups.length) }, lookUpNext));
  return { ...jobs, lookups };
}
