import type { BulkOptions } from "../../codec/bulk/bulkOptions.ts";
import { lineError, type Lines } from "../../codec/bulk/parseLines.ts";
import type { SymbolicatedLine } from "../../codec/bulk/renderLine.ts";
import type { Parser } from "../../codec/parser.ts";
import type { ServerSettings } from "../../config/server.ts";
import type { Resolver } from "../../modules/resolver.ts";
import { locationBytes, symbolicate } from "../../symbolication/symbolicate.ts";
import type { Reservation } from "../admission.ts";
import { toHttpError } from "../httpError.ts";
import type { Line } from "./readLines.ts";

interface Deps {
  parser: Parser;
  resolver: Pick<Resolver, "lookUp">;
  reservation: Reservation;
  config: Pick<ServerSettings, "maxResponseBytes">;
}

export interface SymbolicatedGroup {
  lines: SymbolicatedLine[];
  /** The caller releases these when the lines are sent. */
  reservedBytes: number;
}

/** Looks up the frames of all lines together. A line that fails does not affect the others. */
export async function symbolicateLines(
  group: Line[],
  options: BulkOptions,
  deps: Deps,
): Promise<SymbolicatedGroup> {
  const complete = group.filter((line) => line !== undefined);
  if (complete.length < group.length)
    return { lines: group.map(() => lineError("the line is too long")), reservedBytes: 0 };
  try {
    const parsed = await deps.parser.parseLines(join(complete), options);
    const symbolicated = await symbolicate(parsed.jobs, deps.resolver, deps.config.maxResponseBytes);
    const reservedBytes = locationBytes(symbolicated);
    deps.reservation.reserve(reservedBytes);
    let job = 0;
    const lines = parsed.lines.map((line) => {
      if (line === "job") return { symbolicated, job: job++ };
      return "error" in line ? line : { symbolicated, job: job++, ping: line };
    });
    return { lines, reservedBytes };
  } catch (error) {
    const httpError = toHttpError(error);
    if (!httpError) throw error;
    if (group.length === 1) return { lines: [{ error: { title: httpError.title } }], reservedBytes: 0 };
    // Find the line that causes the error.
    const groups: SymbolicatedGroup[] = [];
    for (const line of group) groups.push(await symbolicateLines([line], options, deps));
    return {
      lines: groups.flatMap(({ lines }) => lines),
      reservedBytes: groups.reduce((sum, { reservedBytes }) => sum + reservedBytes, 0),
    };
  }
}

function join(lines: Buffer[]): Lines {
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  const bytes = new Uint8Array(end);
  for (const [index, line] of lines.entries()) bytes.set(line, ends[index - 1] ?? 0);
  return { bytes, ends };
}
