import { MemoryMap, need } from "./capture.js";
import { libraryModule } from "./library.js";
import { distinctStacks } from "./sampledThread.js";

/**
 * @import { Capture, Location } from "./capture.js"
 * @import { Library } from "./library.js"
 * @import { SampledThread } from "./sampledThread.js"
 *
 * Tables are columns. They are of all threads since version 60, before that of each thread; strings of all since version 56.
 * @typedef {object} Tables
 * @property {{frame: number[], prefix?: (number | null)[], prefixOffset?: number[]}} [stackTable] `prefixOffset` since
 *   version 66: how many rows before it the caller's is, 0 for none
 * @property {{
 *   func: number[], address: (number | null)[], lib?: number[], inlineDepth?: number[], line?: (number | null)[],
 * }} [frameTable] `lib` since version 70
 * @property {{
 *   name: number[], resource?: number[], fileName?: (number | null)[], source?: (number | null)[],
 * }} [funcTable]
 * @property {{lib?: (number | null)[]}} [resourceTable]
 * @property {string[]} [stringArray]
 * @property {{filename: number[]}} [sources]
 *
 * @typedef {object} OwnThread
 * @property {string} name
 * @property {string} [processName]
 * @property {string} [processType]
 * @property {{stack: (number | null)[], weight?: (number | null)[] | null, weightType?: string}} samples
 * @property {Library[]} [libs] before version 41
 *
 * @typedef {object} ProcessedProfile
 * @property {{preprocessedProfileVersion?: number}} meta
 * @property {Library[]} [libs]
 * @property {Tables} [shared]
 * @property {(OwnThread & Tables)[]} threads
 */

/** Since this version an address is that of the call, no longer the one to return to. */
const versionOfCallAddresses = 38;

/**
 * A profile as the Firefox profiler stores it, of any version so far.
 * @param {ProcessedProfile} profile
 * @returns {Capture}
 */
export function readProcessedProfile(profile) {
  const memoryMap = new MemoryMap();
  const threads = profile.threads.map((thread) => ({
    name: [thread.name, thread.processName ?? thread.processType].filter(Boolean).join(", "),
    isCrashed: false,
    stacks: distinctStacks(sampledThread(profile, thread, memoryMap)),
  }));
  return { format: "Firefox profile", ...memoryMap.parts, threads };
}

/**
 * @param {ProcessedProfile} profile
 * @param {OwnThread & Tables} thread
 * @param {MemoryMap} memoryMap
 * @returns {SampledThread}
 */
export function sampledThread(profile, thread, memoryMap) {
  const tables = { ...thread, ...profile.shared };
  need(thread.name ? `thread ${thread.name}` : "a thread", tables, [
    "samples",
    "stackTable",
    "frameTable",
    "funcTable",
    "stringArray",
  ]);
  need("samples", thread.samples, ["stack"]);
  need("stackTable", tables.stackTable, ["frame"]);
  need("frameTable", tables.frameTable, ["func", "address"]);
  need("funcTable", tables.funcTable, ["name"]);
  const { stackTable, frameTable, funcTable, resourceTable, stringArray, sources } =
    /** @type {Required<typeof tables>} */ (tables);
  const moduleIndexes = (profile.libs ?? thread.libs ?? []).map((library) =>
    memoryMap.indexOf(...libraryModule(library)),
  );
  const hasReturnAddresses = (profile.meta.preprocessedProfileVersion ?? 0) < versionOfCallAddresses;
  const { prefix, prefixOffset } = stackTable;
  const { stack, weight, weightType = "samples" } = thread.samples;
  // Or it is in bytes or milliseconds.
  const weights = weightType === "samples" ? weight : undefined;

  return {
    samples: stack.map((stackIndex, sample) => [stackIndex, weights?.[sample] ?? 1]),
    callerOf(callee) {
      if (!prefixOffset) return prefix?.[callee];
      const offset = prefixOffset[callee] ?? 0;
      return offset === 0 ? undefined : callee - offset;
    },
    frameOf: (innermost) => stackTable.frame[innermost] ?? -1,
    inlineDepth: (frame) => frameTable.inlineDepth?.[frame] ?? 0,
    addressOf(frame, isReturnAddress) {
      const func = frameTable.func[frame] ?? -1;
      const library = frameTable.lib?.[frame] ?? resourceTable?.lib?.[funcTable.resource?.[func] ?? -1] ?? -1;
      const address = frameTable.address[frame] ?? -1;
      const moduleOffset = address > 0 && isReturnAddress && hasReturnAddresses ? address - 1 : address;
      return { moduleIndex: address < 0 ? -1 : (moduleIndexes[library] ?? -1), moduleOffset };
    },
    locationOf(frame) {
      const func = frameTable.func[frame] ?? -1;
      const name = stringArray[funcTable.name[func] ?? -1];
      const file = funcTable.fileName?.[func] ?? sources?.filename[funcTable.source?.[func] ?? -1];
      const line = frameTable.line?.[frame];
      /** @type {Location} */
      const location = {};
      // Before a profile is symbolicated, its native functions have an address for a name.
      if (name !== undefined && !/^0x[0-9a-f]+$/i.test(name)) location.function = name;
      const filename = file == null ? undefined : stringArray[file];
      if (filename !== undefined) location.file = filename;
      if (line != null) location.line = line;
      return location;
    },
  };
}
