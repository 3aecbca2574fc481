import { AnswerTooLarge, beforeFunction, type Locations } from "../symcache/lookup/locations.ts";
import { entryAt } from "./job.ts";
import type { SymbolicatedJobs } from "./symbolicate.ts";

export { AnswerTooLarge, beforeFunction, type Locations };

/** A frame of the request with what is known of it. */
export interface SymbolicatedFrame {
  /** What answers call its module; undefined where it has none. */
  moduleName: string | undefined;
  moduleOffset: number | bigint;
  /** Its source locations are rows `first` to `last` of these, innermost first; undefined where nothing is known. */
  locations: Locations | undefined;
  first: number;
  last: number;
  /** Where the text of them all ends. */
  end: number;
  /** Where the outermost function begins. */
  functionStart: number;
}

/** The frame at a position among all frames of a job. */
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
  const result = symbolicated.lookups[symbolicated.moduleNumbers[job]?.[moduleIndex] ?? -1]?.result;
  const unknown = { moduleOffset, locations: undefined, first: 0, last: -1, end: 0, functionStart: 0 };
  if (!result || !("locations" in result))
    return { ...unknown, moduleName: entryAt(memoryMap, moduleIndex)[0] || undefined };
  const { moduleName, locations } = result;
  const offsetNumber = symbolicated.offsetNumbers[job]?.[position] ?? -1;
  const first = locations.starts[offsetNumber] ?? 0;
  const last = (locations.starts[offsetNumber + 1] ?? 0) - 1;
  if (offsetNumber < 0 || last < first) return { ...unknown, moduleName };
  return {
    moduleName,
    moduleOffset,
    locations,
    first,
    last,
    end: locations.ends[offsetNumber] ?? 0,
    functionStart: locations.functionStarts[offsetNumber] ?? 0,
  };
}

/** Whether symbols were found for the module at an index of a job's memory map; null where no frame points into it. */
export function isModuleFound({ moduleNumbers, lookups }: SymbolicatedJobs, job: number, index: number) {
  const lookup = lookups[moduleNumbers[job]?.[index] ?? -1];
  return lookup ? "locations" in lookup.result : null;
}
