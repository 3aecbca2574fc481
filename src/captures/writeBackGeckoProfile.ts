import { MemoryMap, type Frame, type Thread } from "./capture.ts";
import {
  libraryLocator,
  sampledThread,
  threadsOf,
  type GeckoProfile,
  type GeckoThread,
  type LocateAddress,
} from "./geckoProfile.ts";
import type { List } from "./largeJson.ts";
import { memoize, moveMarkerStacks, StringTable } from "./profileTable.ts";
import type { SymbolicatedFrame } from "./response.ts";
import { callerBefore, type SampledThread } from "./sampledThread.ts";
import type { SymbolicatedCapture } from "./symbolicateCapture.ts";
import { readWhole } from "./unreadableCapture.ts";
import type { WriteBack } from "./writeBack.ts";

type SymbolsOf = (frame: number, isReturnAddress: boolean) => SymbolicatedFrame | undefined;

/**
 * Writes symbols back to a profile of Gecko. An address becomes `function (in module)`, which the Firefox profiler
 * understands, and each inlined call becomes a frame. The format has no place for file names. Threads of a large profile are
 * read, changed and written one after the other.
 */
export function writeBackGeckoProfile(profile: GeckoProfile): WriteBack {
  const map = new MemoryMap();
  const threads = { [Symbol.iterator]: () => threadsWithFrames(profile, map) };
  const { memoryMap, moduleNames } = map;
  return {
    wanted: { format: "Gecko profile", memoryMap, moduleNames, threads },
    addSymbols: (symbolicated) => rewriteProcess(profile, map, symbolicated),
  };
}

function* threadsWithFrames(profile: GeckoProfile, map: MemoryMap): Generator<Thread> {
  for (const { thread, locate } of threadsOf(profile, map)) {
    const { sampled, callers } = readWhole("Gecko profile", () => framesOf(thread, locate));
    yield { name: "all", isCrashed: false, stacks: [{ frames: sampled }, { frames: callers }] };
  }
}

function rewriteProcess(
  process: GeckoProfile,
  map: MemoryMap,
  symbolicated: SymbolicatedCapture,
): GeckoProfile {
  const locate = libraryLocator(process.libs, map);
  const rewriteOther = (other: GeckoProfile) => rewriteProcess(other, map, symbolicated);
  const threads = process.threads.map((thread) => {
    if (typeof thread === "string") return JSON.stringify(rewriteOther(JSON.parse(thread) as GeckoProfile));
    const { reader, sampled, callers } = framesOf(thread, locate);
    return rewriteThread(thread, reader, (index, isReturnAddress) => {
      const frame = (isReturnAddress ? callers : sampled)[index];
      return frame && symbolicated.frameOf(frame, 0);
    });
  });
  const { processes } = process;
  return { ...process, threads, ...(processes && { processes: processes.map(rewriteOther) }) };
}

function framesOf(thread: GeckoThread, locate: LocateAddress) {
  const reader = sampledThread(thread, locate);
  const known = {};
  const framesAs = (isReturnAddress: boolean): Frame[] =>
    Array.from(thread.frameTable.data, (_, frame) => ({
      ...reader.addressOf(frame, isReturnAddress),
      known,
    }));
  return { reader, sampled: framesAs(false), callers: framesAs(true) };
}

/**
 * Builds the tables of frames and stacks anew. A stack that is both a sample and a caller is split in two: samples have the
 * address of an instruction, callers and markers have a return address.
 */
function rewriteThread(thread: GeckoThread, reader: SampledThread, symbolsOf: SymbolsOf): GeckoThread {
  const { stackTable, samples } = thread;
  const { prefix = 0, frame: frameColumn = 1 } = stackTable.schema;
  const { stack: sampleColumn = 0 } = samples.schema;
  const newFrames = frameRewriter(thread, symbolsOf);
  const oldStacks = [...stackTable.data];
  const stacks: typeof oldStacks = [];
  const sampled = new Set<unknown>();
  for (const sample of samples.data) sampled.add(sample[sampleColumn]);
  const callers = new Set(oldStacks.map((_, stack) => reader.callerOf(stack)));
  const addCaller = (stack: number) => {
    callers.add(stack);
    return stack;
  };
  for (const _ of moveAllMarkerStacks(thread, addCaller)) continue;
  const asCaller: (number | null)[] = [];
  const asSample: (number | null)[] = [];
  for (const [stack, row] of oldStacks.entries()) {
    const caller = callerBefore(reader, stack);
    const addAs = (isReturnAddress: boolean) => {
      let index = caller === null ? null : (asCaller[caller] ?? null);
      for (const frame of newFrames(reader.frameOf(stack), isReturnAddress)) {
        const added = [...row];
        added[prefix] = index;
        added[frameColumn] = frame;
        index = stacks.push(added) - 1;
      }
      return index;
    };
    asCaller.push(callers.has(stack) ? addAs(true) : null);
    asSample.push(sampled.has(stack) ? addAs(false) : null);
  }
  samples.data = samples.data.map((sample) => {
    sample[sampleColumn] = asSample[sample[sampleColumn] ?? -1] ?? null;
    return sample;
  });
  const moved = moveAllMarkerStacks(thread, (stack) => asCaller[stack] ?? null);
  if (thread.markers) thread.markers.data = moved;
  stackTable.data = stacks;
  return thread;
}

function moveAllMarkerStacks(
  { markers }: GeckoThread,
  newStack: (stack: number) => number | null,
): List<unknown[]> {
  const { data: column = -1 } = markers?.schema ?? {};
  return (markers?.data ?? []).map((marker) => {
    moveMarkerStacks(marker[column], newStack);
    return marker;
  });
}

/** Empties the frame table, and returns a function that adds the new frames of an old one, outermost first. */
function frameRewriter(
  { frameTable, stringTable }: GeckoThread,
  symbolsOf: SymbolsOf,
): (frame: number, isReturnAddress: boolean) => number[] {
  const strings = new StringTable(stringTable);
  const { location = 0, line = -1 } = frameTable.schema;
  const rows = [...frameTable.data];
  const frames: typeof rows = [];
  frameTable.data = frames;
  const keptFrame = memoize((frame: number) => frames.push(rows[frame] ?? []) - 1);
  const framesAs = (isReturnAddress: boolean) =>
    memoize((frame: number): number[] => {
      const found = symbolsOf(frame, isReturnAddress);
      if (found?.function_offset === undefined) return [keptFrame(frame)];
      return [found, ...(found.inlines ?? []).toReversed()].map((call) => {
        const row = [...(rows[frame] ?? [])];
        row[location] = strings.indexOf(`${call.function ?? ""} (in ${found.module})`);
        if (line >= 0) row[line] = call.line ?? null;
        return frames.push(row) - 1;
      });
    });
  const [asSample, asCaller] = [framesAs(false), framesAs(true)];
  return (frame, isReturnAddress) => (isReturnAddress ? asCaller : asSample)(frame);
}
