import { foundModules, symbolicatedFrame } from "../symbolication/frames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import { hex } from "./hex.ts";

/** The v4 answer in pieces of JSON, a frame each at most: `function (in module)`. */
export function* renderV4(symbolicated: SymbolicatedJobs): Generator<string> {
  let position = 0;
  yield `{"symbolicatedStacks":[`;
  for (const [stack, length] of (symbolicated.jobs[0]?.stackLengths ?? []).entries()) {
    yield stack === 0 ? "[" : ",[";
    for (let frame = 0; frame < length; frame++, position++) {
      const { moduleName, moduleOffset, locations, last } = symbolicatedFrame(symbolicated, 0, position);
      const name = locations ? locations.strings[locations.functions[last] ?? 0] : hex(moduleOffset);
      yield (frame === 0 ? "" : ",") + JSON.stringify(`${name} (in ${moduleName ?? "<unknown>"})`);
    }
    yield "]";
  }
  yield `],"knownModules":${JSON.stringify(foundModules(symbolicated, 0))}}`;
}
