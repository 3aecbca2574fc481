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

/** Characters of a piece, about: one piece a frame would cost more than the frames. */
const pieceLength = 64 * 1024;

/** The v5 answer in pieces of JSON. `debug` goes in where it is given. */
export function* renderV5(symbolicated: SymbolicatedJobs, debug?: object): Generator<string> {
  const strings = new JsonStrings();
  yield `{"results":[`;
  for (const job of symbolicated.jobs.keys()) {
    yield `${job === 0 ? "" : ","}{"stacks":[`;
    yield* renderStacks(symbolicated, job, strings);
    yield `],"found_modules":{`;
    yield* renderFoundModules(symbolicated, job);
    yield "}}";
  }
  yield debug ? `],"debug":${JSON.stringify(debug)}}` : "]}";
}

function* renderStacks(symbolicated: SymbolicatedJobs, job: number, strings: JsonStrings): Generator<string> {
  let position = 0;
  let piece = "";
  for (const [stack, length] of (symbolicated.jobs[job]?.stackLengths ?? []).entries()) {
    piece += stack === 0 ? "[" : ",[";
    for (let frame = 0; frame < length; frame++, position++) {
      if (frame > 0) piece += ",";
      piece += renderFrame(frame, symbolicatedFrame(symbolicated, job, position), strings);
      if (piece.length > pieceLength) {
        yield piece;
        piece = "";
      }
    }
    piece += "]";
    if (piece.length > pieceLength) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}

function renderFrame(number: number, frame: SymbolicatedFrame, strings: JsonStrings): string {
  const { moduleName = "<unknown>", moduleOffset, locations, first, last, functionStart } = frame;
  let json = `{"frame":${number},"module":${strings.of(moduleName)},"module_offset":"${hex(moduleOffset)}"`;
  if (!locations) return `${json}}`;
  json += `,"function_offset":"${hex(Number(moduleOffset) - functionStart)}",${renderLocation(locations, last, strings)}`;
  if (first === last) return `${json}}`;
  json += `,"inlines":[`;
  for (let row = first; row < last; row++)
    json += `${row === first ? "" : ","}{${renderLocation(locations, row, strings)}}`;
  return `${json}]}`;
}

function renderLocation(locations: Locations, row: number, strings: JsonStrings): string {
  const file = locations.files[row] ?? 0;
  const line = locations.lines[row] ?? 0;
  let json = `"function":${strings.at(locations, locations.functions[row] ?? 0)}`;
  if (file !== 0) json += `,"file":${strings.at(locations, file)}`;
  if (line !== 0) json += `,"line":${line}`;
  return json;
}

function* renderFoundModules(symbolicated: SymbolicatedJobs, job: number): Generator<string> {
  const found = foundModules(symbolicated, job);
  // A module that stands twice in the memory map is named once.
  const named = new Set<string>();
  let piece = "";
  for (const [index, module] of (symbolicated.jobs[job]?.memoryMap ?? []).entries()) {
    const key = moduleKey(module);
    if (named.has(key)) continue;
    piece += `${named.size === 0 ? "" : ","}${JSON.stringify(key)}:${found[index]}`;
    named.add(key);
    if (piece.length > pieceLength) {
      yield piece;
      piece = "";
    }
  }
  yield piece;
}
