/**
 * Source locations of a list of offsets, as columns and as the text that JSON responses are made of. One buffer holds
 * everything, so that it can be transferred between threads.
 *
 * The rows of the offset `i` are `starts[i]` to `starts[i + 1]`, innermost call first; none if there are no symbols. The text
 * of a row is `"function":"name","file":"path","line":7`, without unknown parts. The text of an offset is its outermost row,
 * followed by `,"inlines":[{…},{…}]` with the others, innermost first.
 */
export interface Locations {
  /** One more than offsets. */
  starts: Uint32Array<ArrayBuffer>;
  /** Per offset: start of its outermost function, relative to the module; 0 without symbols. */
  functionStarts: Uint32Array<ArrayBuffer>;
  /** Per row: start of its text. */
  rowStarts: Uint32Array<ArrayBuffer>;
  /** Per row: end of the function's name in its text. */
  functionEnds: Uint32Array<ArrayBuffer>;
  /** Per row: end of its text. */
  rowEnds: Uint32Array<ArrayBuffer>;
  /** Per offset: end of its text. */
  ends: Uint32Array<ArrayBuffer>;
  /** UTF-8. */
  text: Uint8Array<ArrayBuffer>;
}

/** The start of each row's text, before the function's name. */
export const beforeFunction = `"function":"`;

/** A source location. */
export interface Location {
  function: string;
  file?: string;
  line?: number;
}

/** Bytes of text that the lookups of a request may still return, shared between threads. */
export type TextLeft = BigInt64Array<SharedArrayBuffer>;

export function textLeft(bytes: number): TextLeft {
  const left = new BigInt64Array(new SharedArrayBuffer(8));
  left[0] = BigInt(Math.min(bytes, Number.MAX_SAFE_INTEGER));
  return left;
}

/** The symcache is intact, but the result of the lookup would exceed the size limit. */
export class AnswerTooLarge extends Error {
  override name = "AnswerTooLarge";
}

/** The source location of a row. */
export function locationAt({ text, rowStarts, rowEnds }: Locations, row: number): Location {
  const json = Buffer.from(text.subarray(rowStarts[row], rowEnds[row])).toString();
  return JSON.parse(`{${json}}`) as Location;
}
