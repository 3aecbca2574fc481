import { beforeFunction, isModuleFound, symbolicatedFrame } from "../symbolication/frames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { JsonBytes } from "./jsonBytes.ts";

/** Writes a v4 response. Yields regularly so that other requests can run. */
export function* renderV4(symbolicated: SymbolicatedJobs, json: JsonBytes): Generator<void> {
  let position = 0;
  json.text(`{"symbolicatedStacks":[`);
  for (const [stack, length] of (symbolicated.jobs[0]?.stackLengths ?? []).entries()) {
    json.text(stack === 0 ? "[" : ",[");
    for (let frame = 0; frame < length; frame++, position++) {
      const { moduleName, moduleOffset, locations, last } = symbolicatedFrame(symbolicated, 0, position);
      json.text(frame === 0 ? `"` : `,"`);
      if (locations) {
        const start = (locations.rowStarts[last] ?? 0) + beforeFunction.length;
        json.locationText(locations, start, locations.functionEnds[last] ?? 0);
      } else json.hex(moduleOffset);
      json.text(JSON.stringify(` (in ${moduleName ?? "<unknown>"})`).slice(1));
      if (json.shouldYield()) yield;
    }
    json.text("]");
    if (json.shouldYield()) yield;
  }
  json.text(`],"knownModules":[`);
  for (const index of symbolicated.lookupIndexes[0]?.keys() ?? []) {
    json.text(`${index === 0 ? "" : ","}${isModuleFound(symbolicated, 0, index)}`);
    if (json.shouldYield()) yield;
  }
  json.text("]}");
}
