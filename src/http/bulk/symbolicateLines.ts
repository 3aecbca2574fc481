import type { ServerSettings } from "../../config/server.ts";
import { locationBytes, symbolicate } from "../../symbolication/symbolicate.ts";
import type { Resolver } from "../../modules/resolver.ts";
import type { Share } from "../admission.ts";
import { toHttpError } from "../httpError.ts";
import type { LineParser } from "../../codec/bulk/lineParser.ts";
import type { BulkOptions } from "../../codec/bulk/bulkOptions.ts";
import { lineError, type Lines } from "../../codec/bulk/parseLines.ts";
import type { SymbolicatedLine } from "../../codec/bulk/renderLine.ts";
import type { Line } from "./splitLines.ts";

interface Parts {
  parser: LineParser;
  resolver: Pick<Resolver, "lookUp">;
  share: Share;
  config: Pick<ServerSettings, "maxResponseBytes">;
}

export interface SymbolicatedGroup {
  lines: SymbolicatedLine[];
  /** Bytes of the share that are held for it. */
  held: number;
}

/** Looks up the frames of all lines together. A line that can't be answered changes nothing for the others. */
export async function symbolicateLines(
  group: Line[],
  options: BulkOptions,
  parts: Parts,
): Promise<SymbolicatedGroup> {
  const known = group.filter((line) => line !== undefined);
  if (known.length < group.length)
    return { lines: group.map(() => lineError("the line is too long")), held: 0 };
  try {
    const parsed = await parts.parser.parse(join(known), options);
    const symbolicated = await symbolicate(parsed.jobs, parts.resolver, parts.config.maxResponseBytes);
    const held = locationBytes(symbolicated);
    parts.share.hold(held);
    let job = 0;
    const lines = parsed.lines.map((line) => {
      if (line === "job") return { symbolicated, job: job++ };
      return "error" in line ? line : { symbolicated, job: job++, ping: line };
    });
    return { lines, held };
  } catch (error) {
    const httpError = toHttpError(error);
    if (!httpError) throw error;
    if (group.length === 1) return { lines: [{ error: { title: httpError.title } }], held: 0 };
    // One of them is at fault.
    const each: SymbolicatedGroup[] = [];
    for (const line of group) each.push(await symbolicateLines([line], options, parts));
    return {
      lines: each.flatMap(({ lines }) => lines),
      held: each.reduce((sum, { held }) => sum + held, 0),
    };
  }
}

function join(lines: Buffer[]): Lines {
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  const bytes = new Uint8Array(end);
  for (const [number, line] of lines.entries()) bytes.set(line, ends[number - 1] ?? 0);
  return { bytes, ends };
}
