import { AnswerTooLarge, type Locations } from "./locations.ts";

/** Rows that an answer may have: the crate's bound, too. */
const mostRows = 2 ** 24;

/** The answers to consecutive parts of a list of offsets, as the answer to all of it. Throws an AnswerTooLarge. */
export function joinLocations(parts: Locations[]): Locations {
  if (parts.reduce((sum, { rowStarts }) => sum + rowStarts.length, 0) > mostRows) throw new AnswerTooLarge();
  return parts.reduce(joinTwo);
}

function joinTwo(one: Locations, two: Locations): Locations {
  const rows = one.rowStarts.length;
  const bytes = one.text.length;
  const text = new Uint8Array(bytes + two.text.length);
  text.set(one.text);
  text.set(two.text, bytes);
  return {
    starts: concatenate(one.starts.subarray(0, -1), two.starts, rows),
    functionStarts: concatenate(one.functionStarts, two.functionStarts, 0),
    rowStarts: concatenate(one.rowStarts, two.rowStarts, bytes),
    functionEnds: concatenate(one.functionEnds, two.functionEnds, bytes),
    rowEnds: concatenate(one.rowEnds, two.rowEnds, bytes),
    ends: concatenate(one.ends, two.ends, bytes),
    text,
  };
}

/** `added`: to the numbers of the second. */
function concatenate(one: Uint32Array, two: Uint32Array, added: number): Uint32Array<ArrayBuffer> {
  const both = new Uint32Array(one.length + two.length);
  both.set(one);
  for (let i = 0; i < two.length; i++) both[one.length + i] = (two[i] ?? 0) + added;
  return both;
}
