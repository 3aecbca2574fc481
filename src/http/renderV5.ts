import {
  isModuleFound,
  symbolicatedFrame,
  type Locations,
  type SymbolicatedFrame,
} from "../symbolication/frames.ts";
import type { Job } from "../symbolication/job.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { JsonBytes } from "./jsonBytes.ts";

/** Writes the v5 answer, with `debug` where it is given. Stops when others are due. */
export function* renderV5(
  symbolicated: SymbolicatedJobs,
  json: JsonBytes,
  debug: object | undefined,
): Generator<void> {
  json.text(`{"results":[`);
  for (const job of symbolicated.jobs.keys()) {
    json.text(`${job === 0 ? "" : ","}{"stacks":[`);
    yield* renderStacks(symbolicated, job, json);
    json.text(`],"found_modules":{`);
    yield* renderFoundModules(symbolicated, job, json);
    json.text("}}");
  }
  json.text(debug ? `],"debug":${JSON.stringify(debug)}}` : "]}");
}

function* renderStacks(symbolicated: SymbolicatedJobs, job: number, json: JsonBytes): Generator<void> {
  let position = 0;
  for (const [stack, length] of (symbolicated.jobs[job]?.stackLengths ?? []).entries()) {
    json.text(stack === 0 ? "[" : ",[");
    for (let frame = 0; frame < length; frame++, position++) {
      renderFrame(frame, symbolicatedFrame(symbolicated, job, position), json);
      if (json.isDue()) yield;
    }
    json.text("]");
    if (json.isDue()) yield;
  }
}

function renderFrame(number: number, frame: SymbolicatedFrame, json: JsonBytes): void {
  const { moduleName = "<unknown>", moduleOffset, locations, first, last, functionStart } = frame;
  json.ascii(number === 0 ? `{"frame":` : `,{"frame":`);
  json.integer(number);
  json.ascii(`,"module":`);
  json.string(moduleName);
  json.ascii(`,"module_offset":`);
  json.hex(moduleOffset);
  if (!locations) return json.ascii("}");
  json.ascii(`,"function_offset":`);
  json.hex(Number(moduleOffset) - functionStart);
  json.ascii(`,"function":"`);
  renderLocation(locations, last, json);
  for (let row = first; row < last; row++) {
    json.ascii(row === first ? `,"inlines":[{"function":"` : `},{"function":"`);
    renderLocation(locations, row, json);
  }
  json.ascii(first === last ? "}" : "}]}");
}

/** All of a location behind the quote that its function begins with. */
function renderLocation(locations: Locations, row: number, json: JsonBytes): void {
  const file = locations.files[row] ?? 0;
  const line = locations.lines[row] ?? 0;
  json.stringOf(locations, locations.functions[row] ?? 0);
  if (file !== 0) {
    json.ascii(`","file":"`);
    json.stringOf(locations, file);
  }
  if (line === 0) return json.ascii(`"`);
  json.ascii(`","line":`);
  json.integer(line);
}

function* renderFoundModules(symbolicated: SymbolicatedJobs, job: number, json: JsonBytes): Generator<void> {
  const { keys, keyEnds } = (symbolicated.jobs[job] as Job).memoryMap;
  const keyBytes = Buffer.from(keys.buffer);
  for (const [number, index] of (symbolicated.distinctModules[job] ?? []).entries()) {
    json.text(number === 0 ? `"` : `,"`);
    json.bytes(keyBytes, keyEnds[index - 1] ?? 0, keyEnds[index] ?? 0);
    json.text(`":${isModuleFound(symbolicated, job, index)}`);
    if (json.isDue()) yield;
  }
}
