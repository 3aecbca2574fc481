import type { AnsweredFrame } from "../../../web/static/captures/answer.js";
import { MemoryMap, type Frame, type Stack } from "../../../web/static/captures/capture.js";
import {
  libraryLocator,
  sampledThread,
  type GeckoProfile,
  type GeckoThread,
} from "../../../web/static/captures/geckoProfile.js";
import type { Library } from "../../../web/static/captures/library.js";
import { DistinctStrings } from "./distinctStrings.ts";
import type { WriteBack } from "./writeBack.ts";
import { moveMarkerStacks } from "./markerStacks.ts";
import { remember } from "./remember.ts";

/** What symbols are wanted of, and what is done with them. */
interface Part {
  stacks: Stack[];
  withSymbols: WriteBack["withSymbols"];
}

/**
 * A profile as Gecko writes it. An address becomes `function (in module)`, which the Firefox profiler reads, and each call that
 * was inlined a frame. The format has no place for file names.
 */
export function writeBackGeckoProfile(profile: GeckoProfile): WriteBack {
  const memoryMap = new MemoryMap();
  const { stacks, withSymbols } = processPart(profile, memoryMap);
  return {
    wanted: {
      format: "Gecko profile",
      ...memoryMap.parts,
      threads: [{ name: "all", isCrashed: false, stacks }],
    },
    withSymbols,
  };
}

/** A process, with those below it. */
function processPart(profile: GeckoProfile, memoryMap: MemoryMap): Part {
  const { libs, threads, processes = [] } = profile;
  const libraries = typeof libs === "string" ? (JSON.parse(libs) as Library[]) : libs;
  const locate = libraryLocator(libraries, memoryMap);
  const parts = [
    ...threads.map((thread, number) => {
      if (typeof thread !== "string") return threadPart(thread, locate);
      const part = processPart(JSON.parse(thread) as GeckoProfile, memoryMap);
      const withSymbols: Part["withSymbols"] = (...symbols) =>
        (threads[number] = JSON.stringify(part.withSymbols(...symbols)));
      return { stacks: part.stacks, withSymbols };
    }),
    ...processes.map((process) => processPart(process, memoryMap)),
  ];
  return {
    stacks: parts.flatMap(({ stacks }) => stacks),
    withSymbols(...symbols) {
      for (const part of parts) part.withSymbols(...symbols);
      return profile;
    },
  };
}

function threadPart(thread: GeckoThread, locate: ReturnType<typeof libraryLocator>): Part {
  const reader = sampledThread(thread, locate);
  const rows = thread.frameTable.data;
  const framesAs = (isReturnAddress: boolean): Frame[] =>
    rows.map((_, frame) => ({ ...reader.addressOf(frame, isReturnAddress), known: {} }));
  const [sampled, returned] = [framesAs(false), framesAs(true)];
  return {
    stacks: [{ frames: sampled }, { frames: returned }],
    withSymbols(frameOf) {
      rewriteThread(thread, reader, (frame, isReturnAddress) => {
        const place = (isReturnAddress ? returned : sampled)[frame];
        return place && frameOf(place, 0);
      });
      return thread;
    },
  };
}

/** A thread with its markers, whose columns `schema` names. */
type MarkedThread = GeckoThread & { markers?: { schema: Record<string, number>; data: unknown[][] } };

/**
 * Makes the tables of frames and stacks anew. A stack that was sampled and is a caller, too, becomes two: what a sample saw is
 * an address, what a caller or a marker has is one to return to.
 */
function rewriteThread(
  thread: MarkedThread,
  reader: ReturnType<typeof sampledThread>,
  answerOf: (frame: number, isReturnAddress: boolean) => AnsweredFrame | undefined,
): void {
  const { stackTable, samples } = thread;
  const { prefix = 0, frame: stackFrame = 1 } = stackTable.schema;
  const { stack: sampleStack = 0 } = samples.schema;
  const rows = stackTable.data;
  const newFrames = frameRewriter(thread, answerOf);
  const stacks: typeof rows = [];
  const sampled = new Set(samples.data.map((sample) => sample[sampleStack]));
  const returnedTo = new Set(rows.map((_, stack) => reader.callerOf(stack)));
  moveAllMarkerStacks(thread, (stack) => {
    returnedTo.add(stack);
    return stack;
  });
  const asCaller: (number | null)[] = [];
  const asSample: (number | null)[] = [];
  for (const [stack, row] of rows.entries()) {
    const caller = reader.callerOf(stack) ?? null;
    if (caller !== null && caller >= stack)
      throw new TypeError(`stack ${stack} has a caller that doesn't stand before it`);
    const addAs = (isReturnAddress: boolean) => {
      let place = caller === null ? null : (asCaller[caller] ?? null);
      for (const frame of newFrames(reader.frameOf(stack), isReturnAddress)) {
        const added = [...row];
        added[prefix] = place;
        added[stackFrame] = frame;
        place = stacks.push(added) - 1;
      }
      return place;
    };
    asCaller.push(returnedTo.has(stack) ? addAs(true) : null);
    asSample.push(sampled.has(stack) ? addAs(false) : null);
  }
  for (const sample of samples.data) sample[sampleStack] = asSample[sample[sampleStack] ?? -1] ?? null;
  moveAllMarkerStacks(thread, (stack) => asCaller[stack] ?? null);
  stackTable.data = stacks;
}

function moveAllMarkerStacks({ markers }: MarkedThread, placeOf: (stack: number) => number | null): void {
  if (!markers) return;
  const { data: column = -1 } = markers.schema;
  for (const marker of markers.data) moveMarkerStacks(marker[column], placeOf);
}

/** Makes the table of frames anew, as they are asked for. Gives the new frames of an old one, outermost first. */
function frameRewriter(
  { frameTable, stringTable }: GeckoThread,
  answerOf: (frame: number, isReturnAddress: boolean) => AnsweredFrame | undefined,
): (frame: number, isReturnAddress: boolean) => number[] {
  const strings = new DistinctStrings(stringTable);
  const { location = 0, line = -1 } = frameTable.schema;
  const rows = frameTable.data;
  const frames: typeof rows = [];
  frameTable.data = frames;
  const keptFrame = remember((frame: number) => frames.push(rows[frame] ?? []) - 1);
  const framesAs = (isReturnAddress: boolean) =>
    remember((frame: number): number[] => {
      const answer = answerOf(frame, isReturnAddress);
      if (answer?.function_offset === undefined) return [keptFrame(frame)];
      return [answer, ...(answer.inlines ?? []).toReversed()].map((call) => {
        const row = [...(rows[frame] ?? [])];
        row[location] = strings.placeOf(`${call.function ?? ""} (in ${answer.module})`);
        if (line >= 0) row[line] = call.line ?? null;
        return frames.push(row) - 1;
      });
    });
  const [asSample, asCaller] = [framesAs(false), framesAs(true)];
  return (frame, isReturnAddress) => (isReturnAddress ? asCaller : asSample)(frame);
}
