import { AnswerTooLarge, type Locations } from "./locations.ts";

/** Rows that an answer may have: the crate's bound, too. */
const mostRows = 2 ** 24;

/**
 * The answers to consecutive parts of a list of offsets, as the answer to all of it; a string may be in it twice.
 * Throws an AnswerTooLarge.
 */
export function joinLocations(parts: Locations[]): Locations {
  if (parts.reduce((sum, { functions }) => sum + functions.length, 0) > mostRows) throw new AnswerTooLarge();
  return parts.reduce(joinTwo);
}

function joinTwo(one: Locations, two: Locations): Locations {
  const rows = one.functions.length;
  const strings = one.stringEnds.length;
  const bytes = one.text.length;
  // 0 stays 0, which says that there is none.
  const moved = (string: number) => (string === 0 ? 0 : string + strings);
  const text = new Uint8Array(bytes + two.text.length);
  text.set(one.text);
  text.set(two.text, bytes);
  return {
    starts: concatenate(
      one.starts.subarray(0, -1),
      two.starts.map((start) => start + rows),
    ),
    functions: concatenate(one.functions, two.functions.map(moved)),
    files: concatenate(one.files, two.files.map(moved)),
    lines: concatenate(one.lines, two.lines),
    functionStarts: concatenate(one.functionStarts, two.functionStarts),
    stringEnds: concatenate(
      one.stringEnds,
      two.stringEnds.map((end) => end + bytes),
    ),
    text,
  };
}

function concatenate(one: Uint32Array, two: Uint32Array): Uint32Array<ArrayBuffer> {
  const both = new Uint32Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}
