/** Makes small profiles, in the processed format of any version and in Gecko's. */

/** A frame of native code as its library and the address in it, or a label's text. */
export type MadeFrame = [library: number, address: number] | string;

/** Stacks with their outermost frame first; each was sampled once. The last was also seen by a marker. */
export interface MadeThread {
  name: string;
  stacks: MadeFrame[][];
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

/** Rows become columns; those that the version doesn't have are left out. */
function table(rows: Record<string, unknown>[], columns: Record<string, boolean>): object {
  const present = Object.keys(columns).filter((name) => columns[name]);
  return {
    ...Object.fromEntries(present.map((name) => [name, rows.map((row) => row[name] ?? null)])),
    length: rows.length,
  };
}

/** Tables of some threads, as version `version` has them, and for each thread the stacks of its samples. */
function tablesOf(threads: MadeThread[], libraries: Library[], version: number, strings: Strings) {
  const frames: Record<string, unknown>[] = [];
  const funcs: Record<string, unknown>[] = [];
  const stacks: { frame: number; prefix: number | null; prefixOffset: number }[] = [];
  const frameNumbers = new Map<string, number>();
  const frameOf = (frame: MadeFrame): number => {
    const key = JSON.stringify(frame);
    const known = frameNumbers.get(key);
    if (known !== undefined) return known;
    const [lib, address] = typeof frame === "string" ? [-1, -1] : frame;
    const name = strings.at(typeof frame === "string" ? frame : `0x${address.toString(16)}`);
    const resource = lib;
    const func = funcs.push({ name, isJS: false, relevantForJS: false, resource, address }) - 1;
    const subcategory = 0;
    const number = frames.push({ address, lib, func, inlineDepth: 0, category: 1, subcategory }) - 1;
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
  return {
    samples,
    tables: {
      frameTable: table(frames, {
        ...{ address: true, func: true, category: true, subcategory: true, line: true, column: true },
        ...{ innerWindowID: true, implementation: version < 54, nativeSymbol: version >= 36 },
        ...{ inlineDepth: version >= 40, originalLocation: version >= 64, lib: version >= 70 },
      }),
      funcTable: table(funcs, {
        ...{ name: true, isJS: true, relevantForJS: true, resource: true, lineNumber: true },
        ...{ columnNumber: true, fileName: version < 58, source: version >= 58, address: version < 36 },
        originalLocation: version >= 64,
      }),
      stackTable: table(
        stacks.map((stack) => ({ ...stack, category: 1, subcategory: 0 })),
        {
          ...{ frame: true, prefix: version < 66, prefixOffset: version >= 66 },
          ...{ category: version < 53, subcategory: version < 53 },
        },
      ),
      resourceTable: table(resources, { type: true, name: true, host: true, lib: version < 70 }),
      ...(version >= 36 && {
        nativeSymbols: table([], { libIndex: true, address: true, name: true, functionSize: version >= 42 }),
      }),
    },
  };
}

/** As the Firefox profiler stores it. */
export function processedProfile(version: number, threads: MadeThread[], libraries: Library[]): object {
  const common = new Strings();
  const libs = libraries.map((library) => ({
    ...library,
    ...{ name: library.debugName, path: library.debugName, debugPath: "", arch: "x86_64", codeId: null },
  }));
  const sharedTables = version >= 60 ? tablesOf(threads, libraries, version, common) : undefined;
  const made = threads.map(({ name, stacks }, number) => {
    const strings = version >= 56 ? common : new Strings();
    const own = sharedTables ?? tablesOf([{ name, stacks }], libraries, version, strings);
    const stack = own.samples[sharedTables ? number : 0] ?? [];
    const cause = { tid: 1, time: 1, stack: stack.at(-1) };
    const marker = { name: strings.at("Cause"), startTime: 1, endTime: null, phase: 0, category: 0 };
    return {
      ...{
        name,
        processType: "default",
        pid: version >= 47 ? "1" : 1,
        tid: number + 1,
        isMainThread: number === 0,
      },
      ...{ pausedRanges: [], registerTime: 0, unregisterTime: null, processStartupTime: 0 },
      processShutdownTime: null,
      ...(version < 41 && { libs }),
      ...(sharedTables ? {} : own.tables),
      ...(version < 56 && { stringArray: strings.list }),
      samples: {
        ...{ stack, time: stack.map((_, sample) => sample + 1), length: stack.length },
        ...{ weight: null, weightType: "samples", eventDelay: stack.map(() => 0) },
      },
      markers: table([{ ...marker, data: { type: "Text", name: "x", cause } }], {
        ...{ name: true, startTime: true, endTime: true, phase: true, category: true, data: true },
      }),
    };
  });
  const sources = table([], {
    ...{ filename: true, uuid: version < 61, id: version >= 61, startLine: version >= 61 },
    ...{ startColumn: version >= 61, sourceMapURL: version >= 61, content: version >= 64 },
  });
  return {
    meta: {
      ...{ version: 24, preprocessedProfileVersion: version, product: "Firefox", interval: 1, startTime: 0 },
      ...{ processType: 0, stackwalk: 1, symbolicated: false, markerSchema: [] },
      ...{ extensions: { id: [], name: [], baseURL: [], length: 0 } },
      categories: [
        { name: "Other", color: "grey", subcategories: ["Other"] },
        { name: "User", color: "yellow", subcategories: ["Other"] },
      ],
    },
    ...(version >= 41 && { libs }),
    ...(version >= 56 && {
      shared: {
        ...sharedTables?.tables,
        ...(version >= 58 && { sources }),
        ...(version >= 64 && { sourceLocationTable: table([], { source: true, line: true, column: true }) }),
        stringArray: common.list,
      },
    }),
    threads: made,
  };
}

/** As Gecko writes it: each library is at its number times 2^32 from 2^40 on, and callers' addresses are those to return to. */
export function geckoProfile(threads: MadeThread[], libraries: Library[]): object {
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
    const backtrace = {
      ...{ name: "SyncProfile", registerTime: null, unregisterTime: null, processType: "default" },
      ...{ tid: 1, pid: 1, markers: { schema: {}, data: [] } },
      samples: { schema: { stack: 0, time: 1, eventDelay: 2 }, data: [[sampled.at(-1), 1, 0]] },
    };
    return {
      ...{ name, processType: "default", pid: 1, tid: number + 1, registerTime: 0, unregisterTime: null },
      samples: {
        schema: { stack: 0, time: 1, eventDelay: 2 },
        data: sampled.map((stack, sample) => [stack, sample + 1, 0]),
      },
      markers: {
        schema: { name: 0, startTime: 1, endTime: 2, phase: 3, category: 4, data: 5 },
        data: [[strings.at("Cause"), 1, null, 0, 0, { type: "Text", name: "x", stack: backtrace }]],
      },
      stackTable: { schema: { prefix: 0, frame: 1 }, data: rows },
      frameTable: {
        schema: {
          ...{ location: 0, relevantForJS: 1, innerWindowID: 2, implementation: 3, line: 4, column: 5 },
          ...{ category: 6, subcategory: 7 },
        },
        data: frames,
      },
      stringTable: strings.list,
    };
  });
  return {
    meta: {
      ...{ version: 34, product: "Firefox", interval: 1, startTime: 0, shutdownTime: null, processType: 0 },
      ...{ stackwalk: 1, debug: 0, gcpoison: 0, asyncstack: 1, markerSchema: [], abi: "x86_64-gcc3" },
      ...{ extensions: { schema: { id: 0, name: 1, baseURL: 2 }, data: [] } },
      categories: [
        { name: "Other", color: "grey", subcategories: ["Other"] },
        { name: "User", color: "yellow", subcategories: ["Other"] },
      ],
    },
    libs: libraries.map((library, number) => ({
      ...library,
      ...{ name: library.debugName, path: library.debugName, debugPath: "", arch: "x86_64", codeId: "" },
      ...{ start: base(number), end: base(number) + 2 ** 32, offset: 0 },
    })),
    ...{ pages: [], pausedRanges: [], processes: [], counters: [] },
    sources: { schema: { id: 0, filename: 1, startLine: 2, startColumn: 3, sourceMapURL: 4 }, data: [] },
    threads: made,
  };
}
