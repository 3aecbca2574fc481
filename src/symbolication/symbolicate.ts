import type { GroupedJobs } from "./groupFrames.ts";
import type { ModuleLookup, Symcaches } from "./symcaches.ts";

/** Jobs with what is known of their modules. */
export interface SymbolicatedJobs extends GroupedJobs {
  /** Per module, in the order of `modules`: its lookup, with the source locations of its `offsets`. */
  lookups: ModuleLookup[];
}

/** Looks up the frames of all jobs, all modules side by side. A module without symbols fails nothing. */
export async function symbolicate(jobs: GroupedJobs, symcaches: Symcaches): Promise<SymbolicatedJobs> {
  const lookups = await Promise.all(
    jobs.modules.map(({ debugFilename, debugId }, number) =>
      symcaches.lookUp(
        { debugFilename, debugId: debugId.toUpperCase() },
        jobs.offsets[number] ?? new Uint32Array(),
      ),
    ),
  );
  return { ...jobs, lookups };
}
