import { MemoryMap, requireKeys, type CaptureOfAnySize, type Location } from "./capture.ts";
import type { List } from "./largeJson.ts";
import { libraryModule, type Library } from "./module.ts";
import { distinctStacks, type SampledThread } from "./sampledThread.ts";
import { readWhole } from "./unreadableCapture.ts";

/** Tables, as columns. All threads share them since version 60, and strings since version 56. */
interface Tables {
  /** `prefixOffset` since version 66: the distance to the caller's row, 0 for none. */
  stackTable?: { frame: number[]; prefix?: (number | null)[]; prefixOffset?: number[] };
  frameTable?: {
    func: number[];
    address: (number | null)[];
    /** Since version 70. */
    lib?: number[];
    inlineDepth?: number[];
    line?: (number | null)[];
  };
  funcTable?: {
    name: number[];
    resource?: number[];
    fileName?: (number | null)[];
    source?: (number | null)[];
  };
  resourceTable?: { lib?: (number | null)[] };
  stringArray?: string[];
  sources?: { filename: number[] };
}

export interface ProfileThread extends Tables {
  name: string;
  processName?: string;
  processType?: string;
  samples: { stack: (number | null)[]; weight?: (number | null)[] | null; weightType?: string };
  /** Before version 41. */
  libs?: Library[];
}

export interface ProcessedProfile {
  meta: { preprocessedProfileVersion?: number };
  libs?: Library[];
  shared?: Tables;
  threads: List<ProfileThread>;
}

/** The first version whose addresses are those of calls, not return addresses. */
const versionOfCallAddresses = 38;

/** Reads a profile as the Firefox profiler stores it, of any version so far. */
export function readProcessedProfile(profile: ProcessedProfile): CaptureOfAnySize {
  const map = new MemoryMap();
  const threads = profile.threads.map((thread) =>
    readWhole("Firefox profile", () => ({
      name: [thread.name, thread.processName ?? thread.processType].filter(Boolean).join(", "),
      isCrashed: false,
      stacks: distinctStacks(sampledThread(profile, thread, map)),
    })),
  );
  const { memoryMap, moduleNames } = map;
  return { format: "Firefox profile", memoryMap, moduleNames, threads };
}

export function sampledThread(
  profile: ProcessedProfile,
  thread: ProfileThread,
  map: MemoryMap,
): SampledThread {
  const tables = { ...thread, ...profile.shared };
  requireKeys(thread.name ? `thread ${thread.name}` : "a thread", tables, [
    "samples",
    "stackTable",
    "frameTable",
    "funcTable",
    "stringArray",
  ]);
  requireKeys("samples", thread.samples, ["stack"]);
  requireKeys("stackTable", tables.stackTable, ["frame"]);
  requireKeys("frameTable", tables.frameTable, ["func", "address"]);
  requireKeys("funcTable", tables.funcTable, ["name"]);
  const { stackTable, frameTable, funcTable, resourceTable, stringArray, sources } =
    tables as Required<Tables>;
  const moduleIndexes = Array.from(profile.libs ?? thread.libs ?? [], (library) =>
    map.indexOf(libraryModule(library)),
  );
  const hasReturnAddresses = (profile.meta.preprocessedProfileVersion ?? 0) < versionOfCallAddresses;
  const { prefix, prefixOffset } = stackTable;
  const { stack, weight, weightType = "samples" } = thread.samples;
  // Other weights are bytes or milliseconds.
  const weights = weightType === "samples" ? weight : undefined;

  return {
    samples: {
      *[Symbol.iterator]() {
        for (const [sample, stackIndex] of stack.entries()) yield [stackIndex, weights?.[sample] ?? 1];
      },
    },
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
      const location: Location = {};
      // The name of a native function is its address until the profile is symbolicated.
      if (name !== undefined && !/^0x[0-9a-f]+$/i.test(name)) location.function = name;
      const filename = file == null ? undefined : stringArray[file];
      if (filename !== undefined) location.file = filename;
      if (line != null) location.line = line;
      return location;
    },
  };
}
