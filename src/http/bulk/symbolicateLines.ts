import type { BulkOptions } from "../../codec/bulk/bulkOptions.ts";
import { lineError, type Lines } from "../../codec/bulk/parseLines.ts";
import type { SymbolicatedLine } from "../../codec/bulk/renderLine.ts";
import type { Parser } from "../../codec/parser.ts";
import type { ServerSettings } from "../../config/server.ts";
import type { Resolver } from "../../modules/resolver.ts";
import { jobBytes } from "../../symbolication/groupFrames.ts";
import { symbolicate } from "../../symbolication/symbolicate.ts";
import type { Reservation } from "../admission.ts";
import { toHttpError } from "../httpError.ts";
import type { Line } from "./readLines.ts";

interface Deps {
  parser: Parser;
  resolver: Pick<Resolver, "lookUp">;
  reservation: Reservation;
  config: Pick<ServerSettings, "maxResponseBytes">;
  /** Aborted when nobody needs the result any more. */
  signal: AbortSignal;
}

export interface SymbolicatedGroup {
  lines: SymbolicatedLine[];
  /** What the lines hold; the caller disposes of it when they are sent. */
  memory: Disposable;
}

/** Looks up the frames of all lines together. A line that fails does not affect the others. Throws the signal's reason. */
export async function symbolicateLines(
  group: Line[],
  options: BulkOptions,
  deps: Deps,
): Promise<SymbolicatedGroup> {
  const { parser, resolver, signal } = deps;
  using failed = new DisposableStack();
  const jobsMemory = failed.use(deps.reservation.share("body"));
  const results = failed.use(deps.reservation.share("results"));
  const complete = group.filter((line) => line !== undefined);
  if (complete.length < group.length)
    return { lines: group.map(() => lineError("the line is too long")), memory: failed.move() };
  try {
    const parsed = await parser.parseLines(join(complete), options, signal);
    jobsMemory.reserve(jobBytes(parsed.jobs));
    const maxBytes = deps.config.maxResponseBytes;
    const symbolicated = await symbolicate(parsed.jobs, resolver, {
      maxBytes,
      reserve: results.tryReserve,
      owner: deps.reservation,
      signal,
    });
    let job = 0;
    const lines = parsed.lines.map((line) => {
      if (line === "job") return { symbolicated, job: job++ };
      return "error" in line ? line : { symbolicated, job: job++, ping: line };
    });
    return { lines, memory: failed.move() };
  } catch (error) {
    signal.throwIfAborted();
    const httpError = toHttpError(error);
    if (!httpError) throw error;
    if (group.length === 1) return { lines: [{ error: { title: httpError.title } }], memory: failed.move() };
    failed.dispose();
    // Find the line that causes the error.
    const lines: SymbolicatedLine[] = [];
    const memories = new DisposableStack();
    for (const line of group) {
      const single = await symbolicateLines([line], options, deps);
      lines.push(...single.lines);
      memories.use(single.memory);
    }
    return { lines, memory: memories };
  }
}

function join(lines: Buffer[]): Lines {
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  const bytes = new Uint8Array(end);
  for (const [index, line] of lines.entries()) bytes.set(line, ends[index - 1] ?? 0);
  return { bytes, ends };
}
