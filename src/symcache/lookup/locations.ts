/**
 * Source locations of a list of offsets, as columns and as the text that JSON responses are made of.
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

/**
 * Offsets that are looked up at once. Longer lists are cut into slices of this length, so that other requests can have their
 * turn in between; the last slice may be shorter.
 */
export const offsetsPerSlice = 8192;

/** At least one slice, which is empty if there are no offsets. */
export function slicesOf(offsets: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer>[] {
  if (offsets.length <= offsetsPerSlice) return [offsets];
  return Array.from({ length: Math.ceil(offsets.length / offsetsPerSlice) }, (_, index) =>
    offsets.slice(index * offsetsPerSlice, (index + 1) * offsetsPerSlice),
  );
}

/**
 * Columns without contents, in the crate's order: the text comes last, so that the numbers lie at multiples of 4. They share
 * one buffer, because transferring and freeing one takes less time than seven.
 */
export function emptyLocations(offsets: number, rows: number, textBytes: number): Locations {
  const buffer = new ArrayBuffer(4 * (3 * offsets + 1 + 3 * rows) + textBytes);
  let end = 0;
  const column = (length: number) => {
    const numbers = new Uint32Array(buffer, end, length);
    end += numbers.byteLength;
    return numbers;
  };
  return {
    starts: column(offsets + 1),
    functionStarts: column(offsets),
    rowStarts: column(rows),
    functionEnds: column(rows),
    rowEnds: column(rows),
    ends: column(offsets),
    text: new Uint8Array(buffer, end),
  };
}

/** The start of each row's text, before the function's name. */
export const beforeFunction = `"function":"`;

/** A source location. */
export interface Location {
  function: string;
  file?: string;
  line?: number;
}

/** What the lookups of a request have in common. */
export interface LookupUsage {
  textLeft: TextLeft;
  /** What takes turns with others. */
  owner: unknown;
  /** Charges the memory of source locations to the request. Returns false if it may not have that much. */
  reserve: (bytes: number) => boolean;
  /** Aborted when the request is over. */
  signal: AbortSignal;
}

/** Bytes of text that the lookups of a request may still return, shared between threads. */
export type TextLeft = BigInt64Array<SharedArrayBuffer>;

export function textLeft(bytes: number): TextLeft {
  const left = new BigInt64Array(new SharedArrayBuffer(8));
  left[0] = BigInt(Math.min(bytes, Number.MAX_SAFE_INTEGER));
  return left;
}

/** The symcache is intact, but the result of the lookup would exceed the size limit. */
export class ResultTooLarge extends Error {
  override name = "ResultTooLarge";
}

/** The source location of a row. */
export function locationAt({ text, rowStarts, rowEnds }: Locations, row: number): Location {
  const json = Buffer.from(text.subarray(rowStarts[row], rowEnds[row])).toString();
  return JSON.parse(`{${json}}`) as Location;
}
