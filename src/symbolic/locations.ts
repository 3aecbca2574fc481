/**
 * Source locations of a list of offsets, as columns: they cross threads by transfer, all in one buffer.
 *
 * The rows of the offset `i` are `starts[i]` to `starts[i + 1]`, innermost call first; none where nothing is known.
 * Functions and files are numbers of strings, where 0 is the empty string.
 */
export interface Locations {
  /** One more than there are offsets. */
  starts: Uint32Array<ArrayBuffer>;
  /** For each row the function's name. */
  functions: Uint32Array<ArrayBuffer>;
  /** For each row the file's full path; 0 where it is unknown. */
  files: Uint32Array<ArrayBuffer>;
  /** For each row the line; 0 where it or the file is unknown. */
  lines: Uint32Array<ArrayBuffer>;
  /** For each offset where its outermost function begins, relative to the module; 0 where nothing is known. */
  functionStarts: Uint32Array<ArrayBuffer>;
  /** For each string where it ends in `text`, and the next begins. */
  stringEnds: Uint32Array<ArrayBuffer>;
  /** The strings as JSON has them between its quotes, in UTF-8: answers are made of them byte for byte. */
  text: Uint8Array<ArrayBuffer>;
}

/** The symcache is sound, but the answer to a lookup would be larger than any may be. */
export class AnswerTooLarge extends Error {
  override name = "AnswerTooLarge";
}

/** The string of a number. */
export function stringOf({ text, stringEnds }: Locations, number: number): string {
  const json = Buffer.from(text.subarray(stringEnds[number - 1] ?? 0, stringEnds[number])).toString();
  return JSON.parse(`"${json}"`) as string;
}
