import type { Job, Module } from "./job.ts";

/** Jobs with their frames grouped by module. */
export interface GroupedJobs {
  jobs: Job[];
  /** The modules that frames point into; the same name and id in another case is another module here. */
  modules: Module[];
  /** Per module: the offsets that its frames have in it, job after job. */
  offsets: Uint32Array<ArrayBuffer>[];
  /** Per job, per position in its memory map: position in `modules`, −1 where no frame of any job points into it. */
  moduleNumbers: Int32Array<ArrayBuffer>[];
  /** Per job, per frame: position among its module's `offsets`, −1 where no symcache could know of the offset. */
  offsetNumbers: Int32Array<ArrayBuffer>[];
}

/** Groups frames by module, so that each module is looked up once for all jobs. */
export function groupFrames(jobs: Job[]): GroupedJobs {
  const modules: Module[] = [];
  const counts: number[] = [];
  const numbers = new Map<string, number>();

  for (const { memoryMap, moduleIndexes } of jobs) {
    const inJob = new Int32Array(memoryMap.length).fill(-1);
    for (const moduleIndex of moduleIndexes) {
      const module = memoryMap[moduleIndex];
      if (!module?.debugFilename || !module.debugId) continue;
      let number = inJob[moduleIndex] ?? -1;
      if (number < 0) {
        number = numbers.get(moduleKey(module)) ?? modules.push(module) - 1;
        numbers.set(moduleKey(module), number);
        inJob[moduleIndex] = number;
      }
      counts[number] = (counts[number] ?? 0) + 1;
    }
  }

  const moduleNumbers = jobs.map(({ memoryMap }) =>
    Int32Array.from(memoryMap, (module) => numbers.get(moduleKey(module)) ?? -1),
  );
  const offsets = counts.map((count) => new Uint32Array(count));
  const used = counts.map(() => 0);
  const offsetNumbers = jobs.map(({ moduleIndexes, moduleOffsets }, job) =>
    moduleIndexes.map((moduleIndex, position) => {
      const number = moduleNumbers[job]?.[moduleIndex] ?? -1;
      const moduleOffset = moduleOffsets[position] ?? -1;
      const ofModule = offsets[number];
      if (!ofModule || moduleOffset < 0 || moduleOffset >= 2 ** 32) return -1;
      const offsetNumber = used[number] ?? 0;
      ofModule[offsetNumber] = moduleOffset;
      used[number] = offsetNumber + 1;
      return offsetNumber;
    }),
  );
  return {
    jobs,
    modules,
    offsets: offsets.map((of, number) => of.slice(0, used[number])),
    moduleNumbers,
    offsetNumbers,
  };
}

/** `libxul.so/1410…`, as found_modules has it. */
export function moduleKey({ debugFilename, debugId }: Module): string {
  return `${debugFilename}/${debugId}`;
}
