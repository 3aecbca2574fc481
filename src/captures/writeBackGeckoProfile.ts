import { MemoryMap, type Frame, type Stack } from "./capture.ts";
import {
  libraryLocator,
  sampledThread,
  type GeckoProfile,
  type GeckoThread,
  type LocateAddress,
} from "./geckoProfile.ts";
import { memoize, moveMarkerStacks, StringTable } from "./profileTable.ts";
import type { SymbolicatedFrame } from "./response.ts";
import { callerBefore, type SampledThread } from "./sampledThread.ts";
import type { WriteBack } from "./writeBack.ts";

/** The frames of a process or a thread, and a function that adds their symbols to it. */
interface Part {
  stacks: Stack[];
  addSymbols: WriteBack["addSymbols"];
}

type SymbolsOf = (frame: number, isReturnAddress: boolean) => SymbolicatedFrame | undefined;

/**
 * Writes symbols back to a profile of Gecko. An address becomes `function (in module)`, which the Firefox profiler
 * understands, and each inlined call becomes a frame. The format has no place for file names.
 */
export function writeBackGeckoProfile(profile: GeckoProfile): WriteBack {
  const map = new MemoryMap();
  const { stacks, addSymbols } = processPart(profile, map);
  const { memoryMap, moduleNames } = map;
  const threads = [{ name: "all", isCrashed: false, stacks }];
  return { wanted: { format: "Gecko profile", memoryMap, moduleNames, threads }, addSymbols };
}

function processPart(profile: GeckoProfile, map: MemoryMap): Part {
  const { threads, processes = [] } = profile;
  const locate = libraryLocator(profile.libs, map);
  const parts = [
    ...threads.map((thread, index): Part => {
      if (typeof thread !== "string") return threadPart(thread, locate);
      const { stacks, addSymbols } = processPart(JSON.parse(thread) as GeckoProfile, map);
      return {
        stacks,
        addSymbols(symbolicated) {
          threads[index] = JSON.stringify(addSymbols(symbolicated));
          return profile;
        },
      };
    }),
    ...processes.map((process) => processPart(process, map)),
  ];
  return {
    stacks: parts.flatMap(({ stacks }) => stacks),
    addSymbols(symbolicated) {
      for (const part of parts) part.addSymbols(symbolicated);
      return profile;
    },
  };
}

function threadPart(thread: GeckoThread, locate: LocateAddress): Part {
  const reader = sampledThread(thread, locate);
  const framesAs = (isReturnAddress: boolean): Frame[] =>
    thread.frameTable.data.map((_, frame) => ({ ...reader.addressOf(frame, isReturnAddress), known: {} }));
  const [sampled, callers] = [framesAs(false), framesAs(true)];
  return {
    stacks: [{ frames: sampled }, { frames: callers }],
    addSymbols({ frameOf }) {
      rewriteThread(thread, reader, (index, isReturnAddress) => {
        const frame = (isReturnAddress ? callers : sampled)[index];
        return frame && frameOf(frame, 0);
      });
      return thread;
    },
  };
}

/**
 * Builds the tables of frames and stacks anew. A stack that is both a sample and a caller is split in two: samples have the
 * address of an instruction, callers and markers have a return address.
 */
function rewriteThread(thread: GeckoThread, reader: SampledThread, symbolsOf: SymbolsOf): void {
  const { stackTable, samples } = thread;
  const { prefix = 0, frame: frameColumn = 1 } = stackTable.schema;
  const { stack: sampleColumn = 0 } = samples.schema;
  const newFrames = frameRewriter(thread, symbolsOf);
  const stacks: typeof stackTable.data = [];
  const sampled = new Set(samples.data.map((sample) => sample[sampleColumn]));
  const callers = new Set(stackTable.data.map((_, stack) => reader.callerOf(stack)));
  moveAllMarkerStacks(thread, (stack) => {
    callers.add(stack);
    return stack;
  });
  const asCaller: (number | null)[] = [];
  const asSample: (number | null)[] = [];
  for (const [stack, row] of stackTable.data.entries()) {
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
  for (const sample of samples.data) sample[sampleColumn] = asSample[sample[sampleColumn] ?? -1] ?? null;
  moveAllMarkerStacks(thread, (stack) => asCaller[stack] ?? null);
  stackTable.data = stacks;
}

function moveAllMarkerStacks({ markers }: GeckoThread, newStack: (stack: number) => number | null): void {
  if (!markers) return;
  const { data: column = -1 } = markers.schema;
  for (const marker of markers.data) moveMarkerStacks(marker[column], newStack);
}

/** Empties the frame table, and returns a function that adds the new frames of an old one, outermost first. */
function frameRewriter(
  { frameTable, stringTable }: GeckoThread,
  symbolsOf: SymbolsOf,
): (frame: number, isReturnAddress: boolean) => number[] {
  const strings = new StringTable(stringTable);
  const { location = 0, line = -1 } = frameTable.schema;
  const rows = frameTable.data;
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
