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
  lookupIndexes: Int32Array<ArrayBuffer>[];
  /** Per job: indexes in its memory map, without duplicate modules. */
  distinctModules: Int32Array<ArrayBuffer>[];
  /** Per job, per frame: index among its module's offsets, −1 if no symcache can contain the offset. */
  offsetIndexes: Int32Array<ArrayBuffer>[];
}

/** The memory of an object per module, beside the columns: its lookup and the text of its name. */
const bytesPerModule = 500;

/** How much memory jobs take. */
export function jobBytes(jobs: GroupedJobs): number {
  const columns = columnBuffers(jobs).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return columns + jobs.modules.keyEnds.length * bytesPerModule;
}

/** The buffers of all typed arrays in parsed jobs. */
export function columnBuffers(value: object): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return Object.values(value).flatMap((part: object) => columnBuffers(part));
}

/** Marks a module without a debug file or debug id. */
const unidentified = -2;

/** Groups frames by module, so that each module is looked up once for all jobs. */
export function groupFrames(jobs: Job[]): GroupedJobs {
  const modules: MemoryMapEntry[] = [];
  const counts: number[] = [];
  const indexByKey = new Map<string, number>();

  for (const { memoryMap, moduleIndexes, moduleOffsets } of jobs) {
    const inJob = new Int32Array(memoryMap.keyEnds.length).fill(-1);
    for (const [position, moduleIndex] of moduleIndexes.entries()) {
      let index = inJob[moduleIndex] ?? unidentified;
      if (index === -1) {
        const entry = entryAt(memoryMap, moduleIndex);
        const key = moduleKey(memoryMap, moduleIndex);
        if (entry.includes("")) index = unidentified;
        else index = indexByKey.get(key) ?? modules.push(entry) - 1;
        if (index >= 0) indexByKey.set(key, index);
        inJob[moduleIndex] = index;
      }
      if (index >= 0)
        counts[index] = (counts[index] ?? 0) + Number(isInSymcacheRange(moduleOffsets[position]));
    }
  }

  let sum = 0;
  const offsetStarts = new Uint32Array(counts.length + 1);
  for (const [index, count] of counts.entries()) offsetStarts[index + 1] = sum += count;
  const offsets = new Uint32Array(sum);
  const next = offsetStarts.slice();

  const indexed = jobs.map(({ memoryMap }) => indexModules(memoryMap, indexByKey));
  const offsetIndexes = jobs.map(({ moduleIndexes, moduleOffsets }, job) =>
    moduleIndexes.map((moduleIndex, position) => {
      const index = indexed[job]?.lookupIndexes[moduleIndex] ?? -1;
      if (index < 0 || !isInSymcacheRange(moduleOffsets[position])) return -1;
      const at = next[index] ?? 0;
      offsets[at] = moduleOffsets[position] ?? 0;
      next[index] = at + 1;
      return at - (offsetStarts[index] ?? 0);
    }),
  );
  return {
    jobs,
    modules: listModules(modules),
    offsets,
    offsetStarts,
    lookupIndexes: indexed.map(({ lookupIndexes }) => lookupIndexes),
    distinctModules: indexed.map(({ distinctModules }) => distinctModules),
    offsetIndexes,
  };
}

/** The indexes of a memory map's modules, and which of them are not duplicates. */
function indexModules(memoryMap: ModuleList, indexByKey: Map<string, number>) {
  const seen = new Set<string>();
  const lookupIndexes = new Int32Array(memoryMap.keyEnds.length);
  const distinctModules = lookupIndexes
    .map((_, position) => position)
    .filter((position) => {
      const key = moduleKey(memoryMap, position);
      lookupIndexes[position] = indexByKey.get(key) ?? -1;
      return seen.size < seen.add(key).size;
    });
  return { lookupIndexes, distinctModules };
}

function isInSymcacheRange(moduleOffset = -1): boolean {
  return moduleOffset >= 0 && moduleOffset < 2 ** 32;
}
