import { isModuleFound } from "../symbolication/frames.ts";
import type { Job } from "../symbolication/job.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import { renderDebugReport } from "./debugReport.ts";
import type { JsonBytes } from "./jsonBytes.ts";
import { renderStack, type FrameStyle } from "./renderStack.ts";

/** Writes a v5 response; with a debug report if `timeMs`, the time since the request, is given. Yields regularly so that other requests can run. */
export function* renderV5(symbolicated: SymbolicatedJobs, json: JsonBytes, timeMs?: number): Generator<void> {
  json.text(`{"results":[`);
  for (const job of symbolicated.jobs.keys()) {
    json.text(job === 0 ? "{" : ",{");
    yield* renderStacks(symbolicated, job, json);
    json.text(",");
    yield* renderFoundModules(symbolicated, job, json);
    json.text("}");
  }
  json.text("]");
  if (timeMs !== undefined) {
    json.text(`,"debug":`);
    yield* renderDebugReport(symbolicated, timeMs, json);
  }
  json.text("}");
}

/** Writes `"stacks": …`. */
export function* renderStacks(
  symbolicated: SymbolicatedJobs,
  job: number,
  json: JsonBytes,
  style: FrameStyle = {},
): Generator<void> {
  json.text(`"stacks":[`);
  let start = 0;
  for (const [stack, length] of (symbolicated.jobs[job]?.stackLengths ?? []).entries()) {
    if (stack > 0) json.text(",");
    yield* renderStack(symbolicated, job, { start, length }, json, style);
    start += length;
    if (json.shouldYield()) yield;
  }
  json.text("]");
}

/** Writes `"found_modules": …`. */
export function* renderFoundModules(
  symbolicated: SymbolicatedJobs,
  job: number,
  json: JsonBytes,
): Generator<void> {
  const { keys, keyEnds } = (symbolicated.jobs[job] as Job).memoryMap;
  const keyBytes = Buffer.from(keys.buffer);
  json.text(`"found_modules":{`);
  for (const [position, index] of (symbolicated.distinctModules[job] ?? []).entries()) {
    json.text(position === 0 ? `"` : `,"`);
    json.bytes(keyBytes, keyEnds[index - 1] ?? 0, keyEnds[index] ?? 0);
    json.text(`":${isModuleFound(symbolicated, job, index)}`);
    if (json.shouldYield()) yield;
  }
  json.text("}");
}
