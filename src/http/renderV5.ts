import {
  foundModules,
  symbolicatedFrame,
  type Locations,
  type SymbolicatedFrame,
} from "../symbolication/frames.ts";
import { moduleKey } from "../symbolication/groupFrames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import { hex } from "./hex.ts";
import { JsonStrings } from "./jsonStrings.ts";

/** The v5 answer in pieces of JSON, a frame each at most. `debug` goes in where it is given. */
export function* renderV5(symbolicated: SymbolicatedJobs, debug?: object): Generator<string> {
  const strings = new JsonStrings();
  yield `{"results":[`;
  for (const job of symbolicated.jobs.keys()) {
    yield `${job === 0 ? "" : ","}{"stacks":[`;
    yield* renderStacks(symbolicated, job, strings);
    yield `],"found_modules":${renderFoundModules(symbolicated, job)}}`;
  }
  yield debug ? `],"debug":${JSON.stringify(debug)}}` : "]}";
}

function* renderStacks(symbolicated: SymbolicatedJobs, job: number, strings: JsonStrings): Generator<string> {
  let position = 0;
  for (const [stack, length] of (symbolicated.jobs[job]?.stackLengths ?? []).entries()) {
    yield stack === 0 ? "[" : ",[";
    for (let frame = 0; frame < length; frame++, position++) {
      const comma = frame === 0 ? "" : ",";
      yield comma + renderFrame(frame, symbolicatedFrame(symbolicated, job, position), strings);
    }
    yield "]";
  }
}

function renderFrame(number: number, frame: SymbolicatedFrame, strings: JsonStrings): string {
  const { moduleName = "<unknown>", moduleOffset, locations, first, last, functionStart } = frame;
  const head = `{"frame":${number},"module":${JSON.stringify(moduleName)},"module_offset":"${hex(moduleOffset)}"`;
  if (!locations) return `${head}}`;
  const inlines = [];
  for (let row = first; row < last; row++) inlines.push(`{${renderLocation(locations, row, strings)}}`);
  return (
    `${head},"function_offset":"${hex(Number(moduleOffset) - functionStart)}",` +
    renderLocation(locations, last, strings) +
    (inlines.length === 0 ? "}" : `,"inlines":[${inlines.join(",")}]}`)
  );
}

function renderLocation(locations: Locations, row: number, strings: JsonStrings): string {
  const file = locations.files[row] ?? 0;
  const line = locations.lines[row] ?? 0;
  return (
    `"function":${strings.get(locations, locations.functions[row] ?? 0)}` +
    (file === 0 ? "" : `,"file":${strings.get(locations, file)}`) +
    (line === 0 ? "" : `,"line":${line}`)
  );
}

function renderFoundModules(symbolicated: SymbolicatedJobs, job: number): string {
  const memoryMap = symbolicated.jobs[job]?.memoryMap ?? [];
  const found = foundModules(symbolicated, job);
  // A module that stands twice in the memory map is named once.
  const pairs = new Map(memoryMap.map((module, index) => [moduleKey(module), found[index]]));
  return `{${Array.from(pairs, ([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
}
