import { setImmediate } from "node:timers/promises";
import { moduleId } from "../identity/moduleId.ts";
import { textLeft } from "../symcache/lookup/locations.ts";
import type { GroupedJobs } from "./groupFrames.ts";
import { entryAt } from "./job.ts";
import type { ModuleLookup, Resolver } from "../modules/resolver.ts";

/** Lookups that are under way at once, of one request. */
const atOnce = 500;
/** Lookups that are begun before others have their turn. */
const batch = 100;

/** Jobs with what is known of their modules. */
export interface SymbolicatedJobs extends GroupedJobs {
  /** Per module, in the order of `modules`: its lookup, with the source locations of its offsets. */
  lookups: ModuleLookup[];
}

/** Bytes that the source locations take. */
export function locationBytes({ lookups }: SymbolicatedJobs): number {
  return lookups.reduce(
    (sum, { result }) => sum + ("locations" in result ? result.locations.text.buffer.byteLength : 0),
    0,
  );
}

/**
 * Looks up the frames of all jobs, all modules side by side. A module without symbols fails nothing. Throws an
 * AnswerTooLarge, also where the source locations have more than `mostBytes` of text.
 */
export async function symbolicate(
  jobs: GroupedJobs,
  resolver: Pick<Resolver, "lookUp">,
  mostBytes: number,
): Promise<SymbolicatedJobs> {
  const { modules, offsets, offsetStarts } = jobs;
  const lookups: ModuleLookup[] = Array.from({ length: modules.keyEnds.length });
  const numbers = lookups.keys();
  const usage = { misses: 0, textLeft: textLeft(mostBytes) };
  let turn: Promise<void> | undefined;
  const lookUpNext = async () => {
    for (const number of numbers) {
      if (number > 0 && number % batch === 0) turn = setImmediate();
      await turn;
      const ofModule = offsets.slice(offsetStarts[number], offsetStarts[number + 1]);
      const module = moduleId(...entryAt(modules, number));
      lookups[number] = await resolver.lookUp(module, ofModule, usage);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, lookups.length) }, lookUpNext));
  return { ...jobs, lookups };
}
