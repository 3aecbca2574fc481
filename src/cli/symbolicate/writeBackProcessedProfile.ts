import { MemoryMap, type Frame } from "../../../web/static/captures/capture.js";
import { sampledThread, type ProcessedProfile } from "../../../web/static/captures/processedProfile.js";
import type { SampledThread } from "../../../web/static/captures/sampledThread.js";
import { DistinctStrings } from "./distinctStrings.ts";
import type { WriteBack } from "./writeBack.ts";
import { moveMarkerStacks } from "./markerStacks.ts";
import { addRow, rowOf, type ProfileTable } from "./profileTable.ts";
import { remember } from "./remember.ts";
import { rewriteTables, type ProfileTables } from "./rewriteTables.ts";

type Thread = ProcessedProfile["threads"][0];

/** Threads with the tables that their stacks are in: all threads since version 60, before that each its own. */
interface Section {
  tables: ProfileTables;
  threads: Thread[];
  reader: SampledThread;
  strings: DistinctStrings;
  /** The rows of the frame table. */
  frames: Frame[];
}

/**
 * A profile as the Firefox profiler stores it, of any version. What is known goes where the profiler puts it: each
 * call that was inlined becomes a frame.
 */
export function writeBackProcessedProfile(profile: ProcessedProfile): WriteBack {
  const memoryMap = new MemoryMap();
  const sections = sectionsOf(profile, memoryMap);
  const stacks = sections.map(({ frames }) => ({ frames }));
  return {
    wanted: {
      format: "Firefox profile",
      ...memoryMap.parts,
      threads: [{ name: "all", isCrashed: false, stacks }],
    },
    withSymbols(frameOf) {
      const sourceOf = sourceAdder(profile.shared);
      let isSymbolicated = false;
      for (const { tables, threads, frames, ...parts } of sections) {
        const answers = frames.map((frame) => frameOf(frame, 0));
        isSymbolicated ||= answers.some(({ function_offset: offset }) => offset !== undefined);
        const places = rewriteTables(tables, { ...parts, answers, sourceOf });
        for (const thread of threads) moveStacks(thread, places);
      }
      if (isSymbolicated) Object.assign(profile.meta, { symbolicated: true });
      return profile;
    },
  };
}

function sectionsOf(profile: ProcessedProfile, memoryMap: MemoryMap): Section[] {
  const { shared, threads } = profile;
  const stringsOf = remember((list: string[]) => new DistinctStrings(list));
  const section = (tables: ProfileTables, owners: Thread[]): Section[] => {
    const [first] = owners;
    if (!first) return [];
    const reader = sampledThread(profile, first, memoryMap);
    const leaves = new Set(
      owners.flatMap(({ samples }) => samples.stack.map((stack) => reader.frameOf(stack ?? -1))),
    );
    const frames = Array.from({ length: tables.frameTable.length }, (_, frame) => ({
      ...reader.addressOf(frame, !leaves.has(frame)),
      known: {},
    }));
    const strings = stringsOf(shared?.stringArray ?? first.stringArray ?? []);
    return [{ tables, threads: owners, reader, strings, frames }];
  };
  if (shared?.stackTable) return section(shared as unknown as ProfileTables, threads);
  return threads.flatMap((thread) => section(thread as unknown as ProfileTables, [thread]));
}

/** Adds source files of native code to the table that profiles have since version 58, each once. */
function sourceAdder(shared: ProcessedProfile["shared"]): ((filename: number) => number) | undefined {
  if (!shared?.sources) return undefined;
  const sources = shared.sources as unknown as ProfileTable;
  const places = new Map<unknown, number>();
  for (let place = 0; place < sources.length; place++) {
    const { id, uuid, filename } = rowOf(sources, place);
    if ((id ?? uuid ?? null) === null) places.set(filename, place);
  }
  return (filename) => {
    const place = places.get(filename) ?? addRow(sources, { filename, startLine: 1, startColumn: 1 });
    places.set(filename, place);
    return place;
  };
}

/** Where a thread refers to stacks. */
interface StackOwner {
  samples: { stack: (number | null)[] };
  jsAllocations?: { stack: (number | null)[] };
  nativeAllocations?: { stack: (number | null)[] };
  markers?: { data: unknown[] };
}

function moveStacks(thread: StackOwner, places: Int32Array): void {
  const placeOf = (stack: number) => {
    const place = places[stack] ?? -1;
    return place < 0 ? null : place;
  };
  for (const table of [thread.samples, thread.jsAllocations, thread.nativeAllocations])
    if (table) table.stack = table.stack.map((stack) => (stack === null ? null : placeOf(stack)));
  for (const data of thread.markers?.data ?? []) moveMarkerStacks(data, placeOf);
}
