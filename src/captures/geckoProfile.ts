import {
  MemoryMap,
  requireKeys,
  type CaptureOfAnySize,
  type Location,
  type ModuleAddress,
  type Thread,
} from "./capture.ts";
import { difference, parseInteger, type Integer } from "./integer.ts";
import type { List } from "./largeJson.ts";
import { libraryModule, type Library } from "./module.ts";
import { distinctStacks, type SampledThread } from "./sampledThread.ts";
import { readWhole } from "./unreadableCapture.ts";

/** Rows whose columns are named by `schema`. */
interface Table<Value> {
  schema: Record<string, number>;
  data: List<Value[]>;
}

export interface GeckoThread {
  name: string;
  processName?: string;
  processType?: string;
  samples: Table<number | null>;
  stackTable: Table<number | null>;
  frameTable: Table<number | null>;
  stringTable: string[];
  markers?: Table<unknown>;
}

/** A process and its child processes. */
export interface GeckoProfile {
  /** JSON text before version 4. */
  libs: Library[] | string;
  /** The profile of another process, as JSON text, before version 5. */
  threads: List<GeckoThread | string>;
  processes?: List<GeckoProfile>;
}

export type LocateAddress = (address: Integer) => ModuleAddress;

const hexAddress = /^0x[0-9a-f]+$/i;
/** `frobnicate (chrome://blargh:34:5)` */
const javaScript = /^(.+) \((.+?):([0-9]+)(?::[0-9]+)?\)(?:\[[0-9]+\])?$/;

/** Reads a profile as Gecko writes it, before the Firefox profiler has processed it. */
export function readGeckoProfile(profile: GeckoProfile): CaptureOfAnySize {
  const map = new MemoryMap();
  const threads = { [Symbol.iterator]: () => readThreads(profile, map) };
  const { memoryMap, moduleNames } = map;
  return { format: "Gecko profile", memoryMap, moduleNames, threads };
}

function* readThreads(profile: GeckoProfile, map: MemoryMap): Generator<Thread> {
  for (const { thread, locate } of threadsOf(profile, map)) {
    const name = [thread.name, thread.processName ?? thread.processType].filter(Boolean).join(", ");
    const stacks = readWhole("Gecko profile", () => distinctStacks(sampledThread(thread, locate)));
    yield { name, isCrashed: false, stacks };
  }
}

/** The threads of a process and of its child processes, each with what locates its addresses. */
export function* threadsOf(
  process: GeckoProfile,
  map: MemoryMap,
): Generator<{ thread: GeckoThread; locate: LocateAddress }> {
  readWhole("Gecko profile", () => requireKeys("the process", process, ["libs", "threads"]));
  const { threads, processes = [] } = process;
  const locate = libraryLocator(process.libs, map);
  for (const thread of threads) {
    if (typeof thread === "string") yield* threadsOf(JSON.parse(thread) as GeckoProfile, map);
    else yield { thread, locate };
  }
  for (const child of processes) yield* threadsOf(child, map);
}

export function sampledThread(thread: GeckoThread, locate: LocateAddress): SampledThread {
  requireKeys(thread.name ? `thread ${thread.name}` : "a thread", thread, [
    "samples",
    "stackTable",
    "frameTable",
    "stringTable",
  ]);
  const { samples, stackTable, frameTable, stringTable } = thread;
  for (const [name, table] of Object.entries({ samples, stackTable, frameTable }))
    requireKeys(name, table, ["schema", "data"]);
  const { stack: sampleStack = -1 } = samples.schema;
  const { prefix = -1, frame: stackFrame = -1 } = stackTable.schema;
  const { location = -1, line = -1 } = frameTable.schema;
  const [stacks, frames] = [[...stackTable.data], [...frameTable.data]];
  const textOf = (frame: number) => stringTable[frames[frame]?.[location] ?? -1] ?? "";
  const located = new Map<string, ModuleAddress>();

  return {
    samples: samples.data.map((row) => [row[sampleStack], 1]),
    callerOf: (stack) => stacks[stack]?.[prefix],
    frameOf: (stack) => stacks[stack]?.[stackFrame] ?? -1,
    inlineDepth: () => 0,
    addressOf(frame, isReturnAddress) {
      const text = textOf(frame);
      const address = hexAddress.test(text) ? parseInteger(text) : undefined;
      if (address === undefined) return { moduleIndex: -1, moduleOffset: -1 };
      const key = `${text}${isReturnAddress ? "-1" : ""}`;
      const known = located.get(key) ?? locate(isReturnAddress ? difference(address, 1) : address);
      located.set(key, known);
      return known;
    },
    locationOf(frame) {
      const text = textOf(frame);
      if (hexAddress.test(text)) return {};
      const [, name, file, fileLine] = javaScript.exec(text) ?? [];
      if (name !== undefined && file !== undefined) return { function: name, file, line: Number(fileLine) };
      const label: Location = { function: text };
      const ownLine = frames[frame]?.[line];
      return ownLine == null ? label : { ...label, line: ownLine };
    },
  };
}

/** Finds the module that contains an address. */
export function libraryLocator(libs: GeckoProfile["libs"], map: MemoryMap): LocateAddress {
  const libraries = typeof libs === "string" ? (JSON.parse(libs) as Library[]) : libs;
  const ranges = Array.from(libraries, (library) => {
    const start = parseInteger(library.start) ?? 0;
    return {
      start,
      end: parseInteger(library.end) ?? 0,
      base: difference(start, parseInteger(library.offset) ?? 0),
      moduleIndex: map.indexOf(libraryModule(library)),
    };
  });
  return (address) => {
    const range = ranges.find(({ start, end }) => start <= address && address < end);
    if (!range) return { moduleIndex: -1, moduleOffset: address };
    return { moduleIndex: range.moduleIndex, moduleOffset: difference(address, range.base) };
  };
}
