import { MemoryMap, need, plain } from "./capture.js";
import { libraryModule } from "./library.js";
import { distinctStacks } from "./sampledThread.js";

/**
 * @import { Capture, Frame, Location, Thread } from "./capture.js"
 * @import { Library } from "./library.js"
 * @import { SampledThread } from "./sampledThread.js"
 *
 * @typedef {object} Table rows, whose columns `schema` names
 * @property {Record<string, number>} schema
 * @property {(number | null)[][]} data
 *
 * @typedef {object} GeckoThread
 * @property {string} name
 * @property {string} [processName]
 * @property {string} [processType]
 * @property {Table} samples
 * @property {Table} stackTable
 * @property {Table} frameTable
 * @property {string[]} stringTable
 *
 * @typedef {object} GeckoProfile one process, with those below it
 * @property {Library[] | string} libs JSON before version 4
 * @property {(GeckoThread | string)[]} threads JSON of another process's profile before version 5
 * @property {GeckoProfile[]} [processes]
 */

const hexAddress = /^0x[0-9a-f]+$/i;
/** `frobnicate (chrome://blargh:34:5)` */
const javaScript = /^(.+) \((.+?):([0-9]+)(?::[0-9]+)?\)(?:\[[0-9]+\])?$/;

/**
 * A profile as Gecko writes it, before the Firefox profiler has processed it.
 * @param {GeckoProfile} profile
 * @returns {Capture}
 */
export function readGeckoProfile(profile) {
  const memoryMap = new MemoryMap();
  return {
    format: "Gecko profile",
    ...memoryMap.parts,
    threads: processThreads(profile, memoryMap),
  };
}

/**
 * @param {GeckoProfile} process
 * @param {MemoryMap} memoryMap
 * @returns {Thread[]}
 */
function processThreads(process, memoryMap) {
  need("the process", process, ["libs", "threads"]);
  const { libs, threads, processes = [] } = process;
  /** @type {Library[]} */
  const libraries = typeof libs === "string" ? JSON.parse(libs) : libs;
  const locate = libraryLocator(libraries, memoryMap);
  return [
    ...threads.flatMap((thread) => {
      if (typeof thread === "string") return processThreads(JSON.parse(thread), memoryMap);
      const name = [thread.name, thread.processName ?? thread.processType].filter(Boolean).join(", ");
      return [{ name, isCrashed: false, stacks: distinctStacks(sampledThread(thread, locate)) }];
    }),
    ...processes.flatMap((child) => processThreads(child, memoryMap)),
  ];
}

/**
 * @param {GeckoThread} thread
 * @param {(address: bigint) => Omit<Frame, "known">} locate
 * @returns {SampledThread}
 */
export function sampledThread(thread, locate) {
  need(thread.name ? `thread ${thread.name}` : "a thread", thread, [
    "samples",
    "stackTable",
    "frameTable",
    "stringTable",
  ]);
  const { samples, stackTable, frameTable, stringTable } = thread;
  for (const [name, table] of Object.entries({ samples, stackTable, frameTable }))
    need(name, table, ["schema", "data"]);
  const { stack: sampleStack = -1 } = samples.schema;
  const { prefix = -1, frame: stackFrame = -1 } = stackTable.schema;
  const { location = -1, line = -1 } = frameTable.schema;
  /** @type {Map<string, Omit<Frame, "known">>} */
  const located = new Map();
  /** @param {number} frame */
  const textOf = (frame) => stringTable[frameTable.data[frame]?.[location] ?? -1] ?? "";

  return {
    samples: samples.data.map((row) => [row[sampleStack], 1]),
    callerOf: (stack) => stackTable.data[stack]?.[prefix],
    frameOf: (stack) => stackTable.data[stack]?.[stackFrame] ?? -1,
    inlineDepth: () => 0,
    addressOf(frame, isReturnAddress) {
      const text = textOf(frame);
      if (!hexAddress.test(text)) return { moduleIndex: -1, moduleOffset: -1 };
      const key = `${text}${isReturnAddress ? "-1" : ""}`;
      const known = located.get(key) ?? locate(BigInt(text) - (isReturnAddress ? 1n : 0n));
      located.set(key, known);
      return known;
    },
    locationOf(frame) {
      const text = textOf(frame);
      if (hexAddress.test(text)) return {};
      const [, name, file, fileLine] = javaScript.exec(text) ?? [];
      if (name !== undefined && file !== undefined) return { function: name, file, line: Number(fileLine) };
      const ownLine = frameTable.data[frame]?.[line];
      /** @type {Location} */
      const label = { function: text };
      return ownLine == null ? label : { ...label, line: ownLine };
    },
  };
}

/**
 * Finds the module that holds an address.
 * @param {Library[]} libraries
 * @param {MemoryMap} memoryMap
 * @returns {(address: bigint) => Omit<Frame, "known">}
 */
export function libraryLocator(libraries, memoryMap) {
  const places = libraries.map((library) => ({
    start: BigInt(library.start ?? 0),
    end: BigInt(library.end ?? 0),
    base: BigInt(library.start ?? 0) - BigInt(library.offset ?? 0),
    moduleIndex: memoryMap.indexOf(...libraryModule(library)),
  }));
  return (address) => {
    const place = places.find(({ start, end }) => start <= address && address < end);
    if (!place) return { moduleIndex: -1, moduleOffset: plain(address) };
    return { moduleIndex: place.moduleIndex, moduleOffset: plain(address - place.base) };
  };
}
