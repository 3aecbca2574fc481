/**
 * Source locations of a list of offsets, as columns: they cross threads by transfer, and each owns its buffer.
 *
 * The rows of the offset `i` are `starts[i]` to `starts[i + 1]`, innermost call first; none where nothing is known.
 * Functions and files are indexes into `strings`, where 0 is the empty string.
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
  /** Distinct. */
  strings: string[];
}
