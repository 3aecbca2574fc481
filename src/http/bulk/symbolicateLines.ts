import { AnswerTooLarge } from "../../symbolication/frames.ts";
import { symbolicate } from "../../symbolication/symbolicate.ts";
import type { Symcaches } from "../../symbolication/symcaches.ts";
import { answerTooLarge, HttpError } from "../httpError.ts";
import type { RequestParser } from "../requestParser.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import { lineError, type Lines } from "./parseLines.ts";
import type { SymbolicatedLine } from "./renderLine.ts";
import type { Line } from "./splitLines.ts";

interface Parts {
  parser: RequestParser;
  symcaches: Pick<Symcaches, "lookUp">;
}

/** Looks up the frames of all lines together. A line that can't be answered changes nothing for the others. */
export async function symbolicateLines(
  group: Line[],
  options: BulkOptions,
  parts: Parts,
): Promise<SymbolicatedLine[]> {
  const known = group.filter((line) => line !== undefined);
  if (known.length < group.length) return group.map(() => lineError("the line is too long"));
  try {
    const { lines, jobs } = await parts.parser.parseLines(join(known), options);
    const symbolicated = await symbolicate(jobs, parts.symcaches);
    let job = 0;
    return lines.map((line) => {
      if (line === "job") return { symbolicated, job: job++ };
      return "error" in line ? line : { symbolicated, job: job++, ping: line };
    });
  } catch (error) {
    if (!(error instanceof AnswerTooLarge || error instanceof HttpError)) throw error;
    const { title } = error instanceof AnswerTooLarge ? answerTooLarge() : error;
    if (group.length === 1) return [{ error: { title } }];
    // One of them is at fault.
    const lines: SymbolicatedLine[] = [];
    for (const line of group) lines.push(...(await symbolicateLines([line], options, parts)));
    return lines;
  }
}

function join(lines: Buffer[]): Lines {
  let end = 0;
  const ends = Uint32Array.from(lines, (line) => (end += line.length));
  const bytes = new Uint8Array(end);
  for (const [number, line] of lines.entries()) bytes.set(line, ends[number - 1] ?? 0);
  return { bytes, ends };
}
