/** Synthetic profiles that the Firefox profiler loads: processed ones of any version since 30, and Gecko's. */

/** A native frame, or the text of a label. */
export type SyntheticFrame = [library: number, address: number] | string;

/** Stacks have the outermost frame first. Each was sampled once, and the last one also has a marker. */
export interface SyntheticThread {
  name: string;
  stacks: SyntheticFrame[][];
}

export interface Library {
  debugName: string;
  breakpadId: string;
}

class Strings {
  readonly list: string[] = [];

  at(text: string): number {
    const known = this.list.indexOf(text);
    return known < 0 ? this.list.push(text) - 1 : known;
  }
}

const categories = [
  { name: "Other", color: "grey", subcategories: ["Other"] },
  { name: "User", color: "yellow", subcategories: ["Other"] },
];

/** Turns rows into columns, without the false ones. */
function table(rows: Record<string, unknown>[], ...columns: (string | false)[]): object {
  const named = columns
    .filter((column) => column !== false)
    .map((name) => [name, rows.map((row) => row[name] ?? null)]);
  return { ...Object.fromEntries(named), length: rows.length };
}

/** The tables of threads in a version of the format, and the sampled stacks of each thread. */
function tablesOf(threads: SyntheticThread[], libraries: Library[], version: number, strings: Strings) {
  const frames: Record<string, unknown>[] = [];
  const funcs: Record<string, unknown>[] = [];
  const stacks: { frame: number; prefix: number | null; prefixOffset: number }[] = [];
  const frameNumbers = new Map<string, number>();
  const frameOf = (frame: SyntheticFrame): number => {
    const key = JSON.stringify(frame);
    const known = frameNumbers.get(key);
    if (known !== undefined) return known;
    const [lib, address] = typeof frame === "string" ? [-1, -1] : frame;
    const name = strings.at(typeof frame === "string" ? frame : `0x${address.toString(16)}`);
    const func = funcs.push({ name, isJS: false, relevantForJS: false, resource: lib, address }) - 1;
    const number = frames.push({ address, lib, func, inlineDepth: 0, category: 1, subcategory: 0 }) - 1;
    frameNumbers.set(key, number);
    return number;
  };
  const samples = threads.map((thread) =>
    thread.stacks.map((stack) => {
      let place: number | null = null;
      for (const frame of stack.map(frameOf)) {
        const found: number = stacks.findIndex((row) => row.frame === frame && row.prefix === place);
        const prefixOffset: number = place === null ? 0 : stacks.length - place;
        place = found < 0 ? stacks.push({ frame, prefix: place, prefixOffset }) - 1 : found;
      }
      return place;
    }),
  );
  const resources = libraries.map(({ debugName }, lib) => ({ type: 1, name: strings.at(debugName), lib }));
  const stackRows = stacks.map((stack) => ({ ...stack, category: 1, subcategory: 0 }));
  const hasOriginals = version >= 64 && "originalLocation";
  const tables = {
    frameTable: table(
      frames,
      "address",
      "func",
      "category",
      "subcategory",
      "line",
      "column",
      "innerWindowID",
      version < 54 && "implementation",
      version >= 36 && "nativeSymbol",
      version >= 40 && "inlineDepth",
      version >= 70 && "lib",
      hasOriginals,
    ),
    funcTable: table(
      funcs,
      "name",
      "isJS",
      "relevantForJS",
      "resource",
      "lineNumber",
      "columnNumber",
      version < 36 && "address",
      version < 58 ? "fileName" : "source",
      hasOriginals,
    ),
    stackTable: table(
      stackRows,
      "frame",
      version < 66 ? "prefix" : "prefixOffset",
      version < 53 && "category",
      version < 53 && "subcategory",
    ),
    resourceTable: table(resources, "type", "name", "host", version < 70 && "lib"),
    ...(version >= 36 && {
      nativeSymbols: table([], "libIndex", "address", "name", version >= 42 && "functionSize"),
    }),
  };
  return { samples, tables };
}

/** A profile in the format of the Firefox profiler. */
export function processedProfile(version: number, threads: SyntheticThread[], libraries: Library[]): object {
  const common = new Strings();
  const libs = libraries.map((library) => ({ ...library, name: library.debugName, path: "", arch: "" }));
  const sharedTables = version >= 60 ? tablesOf(threads, libraries, version, common) : undefined;
  const made = threads.map(({ name, stacks }, number) => {
    const strings = version >= 56 ? common : new Strings();
    const own = sharedTables ?? tablesOf([{ name, stacks }], libraries, version, strings);
    const stack = own.samples[sharedTables ? number : 0] ?? [];
    const marker = {
      name: strings.at("Cause"),
      startTime: 1,
      phase: 0,
      category: 0,
      data: { type: "Text", name: "x", cause: { tid: 1, time: 1, stack: stack.at(-1) } },
    };
    return {
      name,
      processType: "default",
      pid: "1",
      tid: number + 1,
      isMainThread: number === 0,
      pausedRanges: [],
      registerTime: 0,
      unregisterTime: null,
      processStartupTime: 0,
      processShutdownTime: null,
      ...(version < 41 && { libs }),
      ...(sharedTables ? {} : own.tables),
      ...(version < 56 && { stringArray: strings.list }),
      samples: {
        stack,
        time: stack.map((_, sample) => sample + 1),
        eventDelay: stack.map(() => 0),
        weight: null,
        weightType: "samples",
        length: stack.length,
      },
      markers: table([marker], "name", "startTime", "endTime", "phase", "category", "data"),
    };
  });
  const sources =
    version < 61
      ? table([], "filename", "uuid")
      : table([], "filename", "id", "startLine", "startColumn", "sourceMapURL", version >= 64 && "content");
  return {
    meta: {
      version: 24,
      preprocessedProfileVersion: version,
      product: "Firefox",
      interval: 1,
      startTime: 0,
      processType: 0,
      stackwalk: 1,
      symbolicated: false,
      markerSchema: [],
      extensions: { id: [], name: [], baseURL: [], length: 0 },
      categories,
    },
    ...(version >= 41 && { libs }),
    ...(version >= 56 && {
      shared: {
        ...sharedTables?.tables,
        ...(version >= 58 && { sources }),
        ...(version >= 64 && { sourceLocationTable: table([], "source", "line", "column") }),
        stringArray: common.list,
      },
    }),
    threads: made,
  };
}

/** A profile in Gecko's format. Libraries start at 2^40, 2^32 apart; callers have return addresses. */
export function geckoProfile(threads: SyntheticThread[], libraries: Library[]): object {
  const base = (library: number) => 2 ** 40 + library * 2 ** 32;
  const made = threads.map(({ name, stacks }, number) => {
    const strings = new Strings();
    const frames: unknown[][] = [];
    const rows: [number | null, number][] = [];
    const sampled = stacks.map((stack) => {
      let place: number | null = null;
      for (const [depth, frame] of stack.entries()) {
        const back = depth < stack.length - 1 ? 1 : 0;
        const text =
          typeof frame === "string" ? frame : `0x${(base(frame[0]) + frame[1] + back).toString(16)}`;
        const location = strings.at(text);
        const known = frames.findIndex((row) => row[0] === location);
        const frameNumber =
          known < 0 ? frames.push([location, false, null, null, null, null, 1, 0]) - 1 : known;
        const found: number = rows.findIndex(([prefix, row]) => prefix === place && row === frameNumber);
        place = found < 0 ? rows.push([place, frameNumber]) - 1 : found;
      }
      return place;
    });
    const schema = { stack: 0, time: 1, eventDelay: 2 };
    const backtrace = { name: "SyncProfile", tid: 1, samples: { schema, data: [[sampled.at(-1), 1, 0]] } };
    return {
      name,
      processType: "default",
      pid: 1,
      tid: number + 1,
      registerTime: 0,
      unregisterTime: null,
      samples: { schema, data: sampled.map((stack, sample) => [stack, sample + 1, 0]) },
      markers: {
        schema: { name: 0, startTime: 1, endTime: 2, phase: 3, category: 4, data: 5 },
        data: [[strings.at("Cause"), 1, null, 0, 0, { type: "Text", name: "x", stack: backtrace }]],
      },
      stackTable: { schema: { prefix: 0, frame: 1 }, data: rows },
      frameTable: {
        schema: {
          location: 0,
          relevantForJS: 1,
          innerWindowID: 2,
          implementation: 3,
          line: 4,
          column: 5,
          category: 6,
          subcategory: 7,
        },
        data: frames,
      },
      stringTable: strings.list,
    };
  });
  return {
    meta: {
      version: 34,
      product: "Firefox",
      interval: 1,
      startTime: 0,
      shutdownTime: null,
      processType: 0,
      stackwalk: 1,
      debug: 0,
      markerSchema: [],
      abi: "x86_64-gcc3",
      extensions: { schema: { id: 0, name: 1, baseURL: 2 }, data: [] },
      categories,
    },
    libs: libraries.map((library, number) => ({
      ...library,
      name: library.debugName,
      path: "",
      debugPath: "",
      arch: "x86_64",
      start: base(number),
      end: base(number) + 2 ** 32,
      offset: 0,
    })),
    pages: [],
    pausedRanges: [],
    processes: [],
    counters: [],
    sources: { schema: { id: 0, filename: 1, startLine: 2, startColumn: 3, sourceMapURL: 4 }, data: [] },
    threads: made,
  };
}
