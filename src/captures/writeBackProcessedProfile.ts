import { MemoryMap, type Frame, type Thread } from "./capture.ts";
import type { List } from "./largeJson.ts";
import { sampledThread, type ProcessedProfile, type ProfileThread } from "./processedProfile.ts";
import { addRow, memoize, moveMarkerStacks, rowOf, StringTable, type ProfileTable } from "./profileTable.ts";
import { moduleState } from "./response.ts";
import { rewriteTables, type ProfileTables } from "./rewriteTables.ts";
import type { SymbolicatedCapture } from "./symbolicateCapture.ts";
import { readWhole } from "./unreadableCapture.ts";
import type { WriteBack } from "./writeBack.ts";

/**
 * Writes symbols back to a profile of the Firefox profiler, of any version, where the profiler itself puts them: each
 * inlined call becomes a frame. Threads of a large profile are read, changed and written one after the other.
 */
export function writeBackProcessedProfile(profile: ProcessedProfile): WriteBack {
  const map = new MemoryMap();
  const { shared, ...unshared } = profile;
  // Since version 60 all threads share the tables that their stacks are in.
  const hasSharedTables = shared?.stackTable !== undefined;
  const threadWithFrames = (thread: ProfileThread) =>
    readWhole("Firefox profile", () => asThread(framesOf(profile, thread, map)));
  const { memoryMap, moduleNames } = map;
  return {
    wanted: {
      format: "Firefox profile",
      memoryMap,
      moduleNames,
      threads: hasSharedTables
        ? firstOf(profile.threads).map(threadWithFrames)
        : profile.threads.map(threadWithFrames),
    },
    addSymbols(symbolicated) {
      const sourceOf = sourceAdder(shared);
      const stringsOf = memoize((list: string[]) => new StringTable(list));
      const rewrite = (tables: object, first: ProfileThread, sampledStacks: Set<number>) => {
        const { reader, ...frames } = framesOf(profile, first, map);
        const strings = shared?.stringArray
          ? stringsOf(shared.stringArray)
          : new StringTable(first.stringArray ?? []);
        const symbols = symbolsOf(frames, symbolicated);
        return rewriteTables(tables as ProfileTables, { reader, strings, symbols, sampledStacks, sourceOf });
      };
      let rewriteThread = (thread: ProfileThread) =>
        moveStacks(thread, rewrite(thread, thread, sampledStacksOf([thread])));
      if (hasSharedTables) {
        for (const first of firstOf(profile.threads)) {
          const newStacks = rewrite(shared, first, sampledStacksOf(profile.threads));
          rewriteThread = (thread) => moveStacks(thread, newStacks);
        }
      }
      const isSymbolicated = symbolicated.outcomes.some((outcome) => moduleState(outcome) === "found");
      return {
        ...unshared,
        meta: { ...profile.meta, ...(isSymbolicated && { symbolicated: true }) },
        threads: profile.threads.map(rewriteThread),
        // Behind the threads, because they may add strings and sources while they are written.
        ...(shared && { shared }),
      };
    },
  };
}

/** A frame for each row of the frame table: as the address of a sample, and as a return address. Equal ones are one object. */
interface TableFrames {
  sampled: Frame[];
  callers: Frame[];
}

function framesOf(profile: ProcessedProfile, thread: ProfileThread, map: MemoryMap) {
  const reader = sampledThread(profile, thread, map);
  const { length } = (profile.shared?.frameTable ?? thread.frameTable) as object as ProfileTable;
  const known = {};
  const sampled: Frame[] = [];
  const callers: Frame[] = [];
  for (let frame = 0; frame < length; frame++) {
    const asSampled: Frame = { ...reader.addressOf(frame, false), known };
    const asCaller: Frame = { ...reader.addressOf(frame, true), known };
    sampled.push(asSampled);
    callers.push(asCaller.moduleOffset === asSampled.moduleOffset ? asSampled : asCaller);
  }
  return { reader, sampled, callers };
}

function asThread({ sampled, callers }: TableFrames): Thread {
  return { name: "all", isCrashed: false, stacks: [{ frames: sampled }, { frames: callers }] };
}

function symbolsOf({ sampled, callers }: TableFrames, { frameOf }: SymbolicatedCapture) {
  const symbolsOfFrame = memoize((frame: Frame) => frameOf(frame, 0));
  return { sampled: sampled.map(symbolsOfFrame), callers: callers.map(symbolsOfFrame) };
}

function firstOf(threads: List<ProfileThread>): ProfileThread[] {
  for (const thread of threads) return [thread];
  return [];
}

function sampledStacksOf(threads: Iterable<ProfileThread>): Set<number> {
  const stacks = new Set<number>();
  for (const { samples } of threads) for (const stack of samples.stack) if (stack !== null) stacks.add(stack);
  return stacks;
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
  markers?: { data: List<unknown> };
}

function moveStacks(thread: ProfileThread & StackOwner, newStacks: Int32Array): ProfileThread {
  const newStack = (stack: number) => {
    const index = newStacks[stack] ?? -1;
    return index < 0 ? null : index;
  };
  for (const table of [thread.samples, thread.jsAllocations, thread.nativeAllocations])
    if (table) table.stack = table.stack.map((stack) => (stack === null ? null : newStack(stack)));
  const { markers } = thread;
  if (markers?.data) markers.data = markers.data.map((data) => moveMarkerStacks(data, newStack));
  return thread;
}
