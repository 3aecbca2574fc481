/** A binary's symbols by debug filename and Breakpad debug id, both as the client wrote them. */
export interface Module {
  debugFilename: string;
  /** Hex, in the client's case; symbols are looked for in upper case. Empty: no module. */
  debugId: string;
}

/**
 * What one client wants symbolicated: stacks of frames that point into modules of a memory map.
 * Frames of all stacks stand one after another in columns, so that 60,000 of them cross threads as a few buffers.
 */
export interface Job {
  memoryMap: Module[];
  /** Number of frames of each stack. */
  stackLengths: Uint32Array<ArrayBuffer>;
  /** Per frame: position in the memory map, −1 for none. */
  moduleIndexes: Int32Array<ArrayBuffer>;
  /** Per frame: address relative to the module, −1 for unknown; rounded where it is 2^53 or more. */
  moduleOffsets: Float64Array<ArrayBuffer>;
  /** Per frame: its offset where that is 2^53 or more, else 0; empty where no frame has such an offset. */
  exactOffsets: BigUint64Array<ArrayBuffer>;
}
