import { moduleKey } from "../../symbolication/job.ts";
import type { SymbolicatedJobs } from "../../symbolication/symbolicate.ts";
import { statusOf } from "../debugReport.ts";
import type { JsonBytes } from "../jsonBytes.ts";
import { renderStack, type FrameStyle } from "../renderStack.ts";
import { renderFoundModules, renderStacks } from "../renderV5.ts";
import type { PingNotes } from "./crashPing.ts";
import type { LineError } from "./parseLines.ts";

/** A line of a body with what is known of it. */
export type SymbolicatedLine = LineError | { symbolicated: SymbolicatedJobs; job: number; ping?: PingNotes };

export interface LineStyle {
  /** Calls that were inlined are frames of their own. */
  flat: boolean;
  /** Tells of each module what became of it. */
  debug: boolean;
}

/** Writes the line that answers a line. Stops when others are due. */
export function* renderLine(line: SymbolicatedLine, json: JsonBytes, style: LineStyle): Generator<void> {
  if ("error" in line) {
    json.text(`${JSON.stringify(line)}\n`);
    return;
  }
  const { symbolicated, job, ping } = line;
  json.text("{");
  if (ping) yield* renderThreads(symbolicated, job, ping, json, style);
  else yield* renderStacks(symbolicated, job, json, style);
  json.text(",");
  yield* renderFoundModules(symbolicated, job, json);
  if (style.debug) json.text(`,"debug":${JSON.stringify(debugOf(symbolicated, job))}`);
  json.text("}\n");
}

/** Writes `"threads": …` of a crash ping, and which of them crashed. */
function* renderThreads(
  symbolicated: SymbolicatedJobs,
  job: number,
  { crashThread, filenames, trusts, trustNumbers }: PingNotes,
  json: JsonBytes,
  { flat }: LineStyle,
): Generator<void> {
  const { stackLengths = [], moduleIndexes = [] } = symbolicated.jobs[job] ?? {};
  const texts = trusts.map((trust) => `,"trust":${JSON.stringify(trust)}`);
  const style: FrameStyle = {
    flat,
    moduleName: (position) => filenames[moduleIndexes[position] ?? -1],
    extra: (position) => texts[trustNumbers[position] ?? -1] ?? "",
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

/** As in the debug report of v5, of the modules that frames point into. */
function debugOf({ jobs, distinctModules, moduleNumbers, lookups }: SymbolicatedJobs, job: number): object {
  const statuses = Array.from(distinctModules[job] ?? [], (index): [string, object] | [] => {
    const lookup = lookups[moduleNumbers[job]?.[index] ?? -1];
    const memoryMap = jobs[job]?.memoryMap;
    return lookup && memoryMap ? [moduleKey(memoryMap, index), statusOf(lookup)] : [];
  });
  return {
    modules: { status_per_module: Object.fromEntries(statuses.filter((status) => status.length > 0)) },
  };
}
