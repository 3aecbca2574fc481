import { isModuleFound } from "../../symbolication/frames.ts";
import { moduleKey, type Job } from "../../symbolication/job.ts";
import type { SymbolicatedJobs } from "../../symbolication/symbolicate.ts";
import { statusOf } from "../debugReport.ts";
import type { JsonBytes } from "../jsonBytes.ts";
import { renderStack, type FrameStyle } from "../renderStack.ts";
import { renderFoundModules, renderStacks } from "../renderV5.ts";
import type { PingDetails } from "./crashPing.ts";
import type { LineError } from "./parseLines.ts";

export type SymbolicatedLine =
  LineError | { symbolicated: SymbolicatedJobs; job: number; ping?: PingDetails };

export interface LineStyle {
  /** Whether inline calls are frames of their own. */
  flat: boolean;
  /** Whether to add the status of each module. */
  debug: boolean;
}

/** Writes the response to a line. Yields regularly so that other requests can run. */
export function* renderLine(line: SymbolicatedLine, json: JsonBytes, style: LineStyle): Generator<void> {
  if ("error" in line) {
    json.text(`${JSON.stringify(line)}\n`);
    return;
  }
  const { symbolicated, job, ping } = line;
  json.text("{");
  if (ping) {
    yield* renderThreads(symbolicated, job, ping, json, style);
    json.text(",");
    yield* renderFoundModulesByKey(symbolicated, job, ping.keys, json);
  } else {
    yield* renderStacks(symbolicated, job, json, style);
    json.text(",");
    yield* renderFoundModules(symbolicated, job, json);
  }
  if (style.debug) json.text(`,"debug":${JSON.stringify(debugOf(symbolicated, job, ping))}`);
  json.text("}\n");
}

/** Writes `"threads": …` and `"crash_thread": …` of a crash ping. */
function* renderThreads(
  symbolicated: SymbolicatedJobs,
  job: number,
  { crashThread, filenames, trusts, trustIndexes }: PingDetails,
  json: JsonBytes,
  { flat }: LineStyle,
): Generator<void> {
  const { stackLengths = [], moduleIndexes = [] } = symbolicated.jobs[job] ?? {};
  const texts = trusts.map((trust) => `,"trust":${JSON.stringify(trust)}`);
  const style: FrameStyle = {
    flat,
    moduleName: (position) => filenames[moduleIndexes[position] ?? -1],
    extra: (position) => texts[trustIndexes[position] ?? -1] ?? "",
  };
  json.text(`"threads":[`);
  let start = 0;
  for (const [thread, length] of stackLengths.entries()) {
    json.text(thread === 0 ? `{"frames":` : `,{"frames":`);
    yield* renderStack(symbolicated, job, { start, length }, json, style);
    json.text("}");
    start += length;
  }
  json.text(`],"crash_thread":${crashThread}`);
}

/** Writes `"found_modules": …` with the keys of a crash ping, which may have several for a module. */
function* renderFoundModulesByKey(
  symbolicated: SymbolicatedJobs,
  job: number,
  keys: string[],
  json: JsonBytes,
): Generator<void> {
  const written = new Set<string>();
  json.text(`"found_modules":{`);
  for (const [index, key] of keys.entries()) {
    if (written.has(key)) continue;
    json.text(written.size === 0 ? "" : ",");
    written.add(key);
    json.text(`${JSON.stringify(key)}:${isModuleFound(symbolicated, job, index)}`);
    if (json.shouldYield()) yield;
  }
  json.text("}");
}

/** The part of the v5 debug report that makes sense for a line. */
function debugOf(symbolicated: SymbolicatedJobs, job: number, ping: PingDetails | undefined): object {
  const { jobs, lookupIndexes, lookups } = symbolicated;
  const { memoryMap } = jobs[job] as Job;
  const statuses = Array.from(lookupIndexes[job] ?? [], (lookupIndex, index): [string, object] | [] => {
    const lookup = lookups[lookupIndex];
    return lookup ? [ping?.keys[index] ?? moduleKey(memoryMap, index), statusOf(lookup)] : [];
  });
  return {
    modules: { status_per_module: Object.fromEntries(statuses.filter((status) => status.length > 0)) },
  };
}
