import { MemoryMap, type Frame } from "./capture.ts";
import { sampledThread, type ProcessedProfile, type ProfileThread } from "./processedProfile.ts";
import { addRow, memoize, moveMarkerStacks, rowOf, StringTable, type ProfileTable } from "./profileTable.ts";
import { rewriteTables, type ProfileTables } from "./rewriteTables.ts";
import type { SampledThread } from "./sampledThread.ts";
import type { WriteBack } from "./writeBack.ts";

/** Threads and the tables that their stacks are in: since version 60 all threads, before that each thread by itself. */
interface Section {
  tables: ProfileTables;
  threads: ProfileThread[];
  reader: SampledThread;
  strings: StringTable;
  sampledStacks: Set<number>;
  /** The rows of the frame table: as sampled addresses, and as return addresses. The same if there is no difference. */
  sampled: Frame[];
  callers: Frame[];
}

/**
 * Writes symbols back to a profile of the Firefox profiler, of any version, where the profiler itself puts them: each
 * inlined call becomes a frame.
 */
export function writeBackProcessedProfile(profile: ProcessedProfile): WriteBack {
  const map = new MemoryMap();
  const sections = sectionsOf(profile, map);
  const stacks = sections.flatMap(({ sampled, callers }) => [{ frames: sampled }, { frames: callers }]);
  const { memoryMap, moduleNames } = map;
  const threads = [{ name: "all", isCrashed: false, stacks }];
  return {
    wanted: { format: "Firefox profile", memoryMap, moduleNames, threads },
    addSymbols({ frameOf }) {
      const sourceOf = sourceAdder(profile.shared);
      let isSymbolicated = false;
      for (const { tables, threads: owners, sampled, callers, sampledStacks, reader, strings } of sections) {
        const symbolsOf = memoize((frame: Frame) => frameOf(frame, 0));
        const symbols = { sampled: sampled.map(symbolsOf), callers: callers.map(symbolsOf) };
        isSymbolicated ||= [...symbols.sampled, ...symbols.callers].some(
          ({ function_offset: offset }) => offset !== undefined,
        );
        const newStacks = rewriteTables(tables, { reader, strings, symbols, sampledStacks, sourceOf });
        for (const thread of owners) moveStacks(thread, newStacks);
      }
      if (isSymbolicated) Object.assign(profile.meta, { symbolicated: true });
      return profile;
    },
  };
}

function sectionsOf(profile: ProcessedProfile, map: MemoryMap): Section[] {
  const { shared, threads } = profile;
  const stringsOf = memoize((list: string[]) => new StringTable(list));
  const section = (tables: object, owners: ProfileThread[]): Section[] => {
    const [first] = owners;
    if (!first) return [];
    const reader = sampledThread(profile, first, map);
    const sampledStacks = new Set(
      owners.flatMap(({ samples }) => samples.stack.filter((stack) => stack !== null)),
    );
    const { frameTable } = tables as ProfileTables;
    const sampled: Frame[] = [];
    const callers: Frame[] = [];
    for (let frame = 0; frame < frameTable.length; frame++) {
      const asSampled: Frame = { ...reader.addressOf(frame, false), known: {} };
      const asCaller: Frame = { ...reader.addressOf(frame, true), known: {} };
      sampled.push(asSampled);
      callers.push(asCaller.moduleOffset === asSampled.moduleOffset ? asSampled : asCaller);
    }
    const strings = stringsOf(shared?.stringArray ?? first.stringArray ?? []);
    return [
      { tables: tables as ProfileTables, threads: owners, reader, strings, sampledStacks, sampled, callers },
    ];
  };
  if (shared?.stackTable) return section(shared, threads);
  return threads.flatMap((thread) => section(thread, [thread]));
}

/** Adds each native source file once, to the table that profiles have since version 58. */
function sourceAdder(shared: ProcessedProfile["shared"]): ((filename: number) => number) | undefined {
  if (!shared?.sources) return undefined;
  const sources = shared.sources as object as ProfileTable;
  const indexes = new Map<unknown, number>();
  for (let index = 0; index < sources.length; index++) {
    const { id, uuid, filename } = rowOf(sources, index);
    // JavaScript sources have an id.
    if ((id ?? uuid ?? null) === null) indexes.set(filename, index);
  }
  return (filename) => {
    const index = indexes.get(filename) ?? addRow(sources, { filename, startLine: 1, startColumn: 1 });
    indexes.set(filename, index);
    return index;
  };
}

/** The parts of a thread that refer to stacks. */
interface StackOwner {
  samples: { stack: (number | null)[] };
  jsAllocations?: { stack: (number | null)[] };
  nativeAllocations?: { stack: (number | null)[] };
  markers?: { data: unknown[] };
}

function moveStacks(thread: StackOwner, newStacks: Int32Array): void {
  const newStack = (stack: number) => {
    const index = newStacks[stack] ?? -1;
    return index < 0 ? null : index;
  };
  for (const table of [thread.samples, thread.jsAllocations, thread.nativeAllocations])
    if (table) table.stack = table.stack.map((stack) => (stack === null ? null : newStack(stack)));
  for (const data of thread.markers?.data ?? []) moveMarkerStacks(data, newStack);
}
