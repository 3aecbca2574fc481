import {
  ResultTooLarge,
  beforeFunction,
  offsetsPerSlice,
  type Locations,
} from "../symcache/lookup/locations.ts";
import { entryAt } from "./job.ts";
import type { SymbolicatedJobs } from "./symbolicate.ts";

export { ResultTooLarge, beforeFunction, type Locations };

/** A frame of a request with its symbols. */
export interface SymbolicatedFrame {
  /** The module's name in the response; undefined without a module. */
  moduleName: string | undefined;
  moduleOffset: number | bigint;
  /** Rows `first` to `last` are its source locations, innermost first. Undefined without symbols. */
  locations: Locations | undefined;
  first: number;
  last: number;
  /** End of the text of all these rows. */
  end: number;
  /** Start of the outermost function. */
  functionStart: number;
}

/** `position` counts the frames of all stacks of the job. */
export function symbolicatedFrame(
  symbolicated: SymbolicatedJobs,
  job: number,
  position: number,
): SymbolicatedFrame {
  const { memoryMap, moduleIndexes, moduleOffsets, exactOffsets } = symbolicated.jobs[
    job
  ] as (typeof symbolicated.jobs)[0];
  const moduleIndex = moduleIndexes[position] ?? -1;
  const moduleOffset = exactOffsets[position] || (moduleOffsets[position] ?? -1);
  const result = symbolicated.lookups[symbolicated.lookupIndexes[job]?.[moduleIndex] ?? -1]?.result;
  const unknown = { moduleOffset, locations: undefined, first: 0, last: -1, end: 0, functionStart: 0 };
  if (!result || !("locations" in result))
    return { ...unknown, moduleName: entryAt(memoryMap, moduleIndex)[0] || undefined };
  const { moduleName } = result;
  const indexInModule = symbolicated.offsetIndexes[job]?.[position] ?? -1;
  const locations = result.locations[Math.floor(indexInModule / offsetsPerSlice)];
  if (!locations) return { ...unknown, moduleName };
  const offsetIndex = indexInModule % offsetsPerSlice;
  const first = locations.starts[offsetIndex] ?? 0;
  const last = (locations.starts[offsetIndex + 1] ?? 0) - 1;
  if (last < first) return { ...unknown, moduleName };
  return {
    moduleName,
    moduleOffset,
    locations,
    first,
    last,
    end: locations.ends[offsetIndex] ?? 0,
    functionStart: locations.functionStarts[offsetIndex] ?? 0,
  };
}

/** Whether symbols were found for the module at an index of a job's memory map; null if no frame points into it. */
export function isModuleFound({ lookupIndexes, lookups }: SymbolicatedJobs, job: number, index: number) {
  const lookup = lookups[lookupIndexes[job]?.[index] ?? -1];
  return lookup ? "locations" in lookup.result : null;
}
