import { HttpError } from "../httpError.ts";

/** A line without its end; undefined where it is too long. */
export type Line = Buffer | undefined;

const newline = 0x0a;
const space = 0x20;
/** How many times the longest line may pass without a line that isn't too long or blank: a small body can hold endless ones. */
const patience = 10;

/** The lines of a body, but for blank ones. Throws an HttpError 413 where the body goes on and on without any. */
export async function* splitLines(pieces: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let begun: Buffer[] = [];
  let bytes = 0;
  let bytesWithoutLine = 0;
  const end = (): { line: Line } | undefined => {
    const line = bytes > maxBytes ? undefined : Buffer.concat(begun, bytes);
    begun = [];
    bytes = 0;
    if (line && isBlank(line)) return undefined;
    if (line) bytesWithoutLine = 0;
    return { line };
  };
  for await (const piece of pieces) {
    bytesWithoutLine += piece.length;
    if (bytesWithoutLine > patience * maxBytes) throw new HttpError(413, "the body goes on without a line");
    for (let start = 0; start < piece.length;) {
      const found = piece.indexOf(newline, start);
      const stop = found < 0 ? piece.length : found;
      bytes += stop - start;
      if (bytes > maxBytes) begun = [];
      else if (stop > start) begun.push(piece.subarray(start, stop));
      start = stop + 1;
      const ended = found < 0 ? undefined : end();
      if (ended) yield ended.line;
    }
  }
  const last = end();
  if (last) yield last.line;
}

/** It has nothing but spaces, tabs and the first half of CRLF. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte <= space);
}
