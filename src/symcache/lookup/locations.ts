/**
 * Source locations of a list of offsets, as columns and a text of which JSON answers are made: they cross threads by
 * transfer, all in one buffer.
 *
 * The rows of the offset `i` are `starts[i]` to `starts[i + 1]`, innermost call first; none where nothing is known. The text
 * of a row is `"function":"name","file":"path","line":7`, without what is unknown. That of an offset is its outermost row,
 * followed by `,"inlines":[{…},{…}]` with the others, innermost first.
 */
export interface Locations {
  /** One more than there are offsets. */
  starts: Uint32Array<ArrayBuffer>;
  /** For each offset where its outermost function begins, relative to the module; 0 where nothing is known. */
  functionStarts: Uint32Array<ArrayBuffer>;
  /** For each row where its text begins. */
  rowStarts: Uint32Array<ArrayBuffer>;
  /** For each row where the function's name ends in its text. */
  functionEnds: Uint32Array<ArrayBuffer>;
  /** For each row where its text ends. */
  rowEnds: Uint32Array<ArrayBuffer>;
  /** For each offset where its text ends. */
  ends: Uint32Array<ArrayBuffer>;
  /** UTF-8. */
  text: Uint8Array<ArrayBuffer>;
}

/** What the text of each row begins with, before the function's name. */
export const beforeFunction = `"function":"`;

/** A source location. */
export interface Location {
  function: string;
  file?: string;
  line?: number;
}

/** Bytes of text that lookups may still give, all those of a request together, in whatever threads they are. */
export type TextLeft = BigInt64Array<SharedArrayBuffer>;

/** Room for so many bytes. */
export function textLeft(bytes: number): TextLeft {
  const left = new BigInt64Array(new SharedArrayBuffer(8));
  left[0] = BigInt(Math.min(bytes, Number.MAX_SAFE_INTEGER));
  return left;
}

/** The symcache is sound, but the answer to a lookup would be larger than any may be. */
export class AnswerTooLarge extends Error {
  override name = "AnswerTooLarge";
}

/** The source location of a row. */
export function locationAt({ text, rowStarts, rowEnds }: Locations, row: number): Location {
  const json = Buffer.from(text.subarray(rowStarts[row], rowEnds[row])).toString();
  return JSON.parse(`{${json}}`) as Location;
}
