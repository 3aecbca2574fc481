import { entryAt, listModules, moduleKey, type Job, type MemoryMapEntry, type ModuleList } from "./job.ts";

/** Jobs with their frames grouped by module. */
export interface GroupedJobs {
  jobs: Job[];
  /** The modules that frames point into. Names and ids are case-sensitive here. */
  modules: ModuleList;
  /** The offsets in the first of `modules`, job after job, then those in the next module. */
  offsets: Uint32Array<ArrayBuffer>;
  /** Per module: start of its `offsets`; and the end of all. */
  offsetStarts: Uint32Array<ArrayBuffer>;
  /** Per job, per index in its memory map: index in `modules`, −1 if no frame of any job points into it. */
  moduleNumbers: Int32Array<ArrayBuffer>[];
  /** Per job: indexes in its memory map, without duplicate modules. */
  distinctModules: Int32Array<ArrayBuffer>[];
  /** Per job, per frame: index among its module's offsets, −1 if no symcache can contain the offset. */
  offsetNumbers: Int32Array<ArrayBuffer>[];
}

/** Marks a module without a debug file or debug id. */
const unidentified = -2;

/** Groups frames by module, so that each module is looked up once for all jobs. */
export function groupFrames(jobs: Job[]): GroupedJobs {
  const modules: MemoryMapEntry[] = [];
  const counts: number[] = [];
  const numbers = new Map<string, number>();

  for (const { memoryMap, moduleIndexes, moduleOffsets } of jobs) {
    const inJob = new Int32Array(memoryMap.keyEnds.length).fill(-1);
    for (const [position, moduleIndex] of moduleIndexes.entries()) {
      let number = inJob[moduleIndex] ?? unidentified;
      if (number === -1) {
        const entry = entryAt(memoryMap, moduleIndex);
        const key = moduleKey(memoryMap, moduleIndex);
        if (entry.includes("")) number = unidentified;
        else number = numbers.get(key) ?? modules.push(entry) - 1;
        if (number >= 0) numbers.set(key, number);
        inJob[moduleIndex] = number;
      }
      if (number >= 0)
        counts[number] = (counts[number] ?? 0) + Number(isInSymcacheRange(moduleOffsets[position]));
    }
  }

  let sum = 0;
  const offsetStarts = new Uint32Array(counts.length + 1);
  for (const [number, count] of counts.entries()) offsetStarts[number + 1] = sum += count;
  const offsets = new Uint32Array(sum);
  const next = offsetStarts.slice();

  const indexed = jobs.map(({ memoryMap }) => indexModules(memoryMap, numbers));
  const offsetNumbers = jobs.map(({ moduleIndexes, moduleOffsets }, job) =>
    moduleIndexes.map((moduleIndex, position) => {
      const number = indexed[job]?.moduleNumbers[moduleIndex] ?? -1;
      if (number < 0 || !isInSymcacheRange(moduleOffsets[position])) return -1;
      const at = next[number] ?? 0;
      offsets[at] = moduleOffsets[position] ?? 0;
      next[number] = at + 1;
      return at - (offsetStarts[number] ?? 0);
    }),
  );
  return {
    jobs,
    modules: listModules(modules),
    offsets,
    offsetStarts,
    moduleNumbers: indexed.map(({ moduleNumbers }) => moduleNumbers),
    distinctModules: indexed.map(({ distinctModules }) => distinctModules),
    offsetNumbers,
  };
}

/** The indexes of a memory map's modules, and which of them are not duplicates. */
function indexModules(memoryMap: ModuleList, numbers: Map<string, number>) {
  const seen = new Set<string>();
  const moduleNumbers = new Int32Array(memoryMap.keyEnds.length);
  const distinctModules = moduleNumbers
    .map((_, position) => position)
    .filter((position) => {
      const key = moduleKey(memoryMap, position);
      moduleNumbers[position] = numbers.get(key) ?? -1;
      return seen.size < seen.add(key).size;
    });
  return { moduleNumbers, distinctModules };
}

function isInSymcacheRange(moduleOffset = -1): boolean {
  return moduleOffset >= 0 && moduleOffset < 2 ** 32;
}
