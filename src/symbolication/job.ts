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
  memoryMap: ModuleList;
  /** Number of frames of each stack. */
  stackLengths: Uint32Array<ArrayBuffer>;
  /** Per frame: position in the memory map, −1 for none. */
  moduleIndexes: Int32Array<ArrayBuffer>;
  /** Per frame: address relative to the module, −1 for unknown; rounded where it is 2^53 or more. */
  moduleOffsets: Float64Array<ArrayBuffer>;
  /** Per frame: its offset where that is 2^53 or more, else 0; empty where no frame has such an offset. */
  exactOffsets: BigUint64Array<ArrayBuffer>;
}

/** Modules as columns, too: a body of 20 MB can have millions. */
export interface ModuleList {
  /** `libxul.so/1410…`, as found_modules has it, of each module one after the other: ASCII. */
  keys: Uint8Array<ArrayBuffer>;
  /** Where each key ends. */
  keyEnds: Uint32Array<ArrayBuffer>;
  /** How much of each key is the debug filename. */
  filenameLengths: Uint32Array<ArrayBuffer>;
}

/** A list of `libxul.so` and `1410…` and so on. */
export function listModules(modules: Module[]): ModuleList {
  const keys = modules.map(({ debugFilename, debugId }) => `${debugFilename}/${debugId}`);
  let end = 0;
  return {
    keys: new TextEncoder().encode(keys.join("")),
    keyEnds: Uint32Array.from(keys, (key) => (end += key.length)),
    filenameLengths: Uint32Array.from(modules, ({ debugFilename }) => debugFilename.length),
  };
}

/** The key of the module at a position in the list. */
export function moduleKey({ keys, keyEnds }: ModuleList, position: number): string {
  const start = keyEnds[position - 1] ?? 0;
  return Buffer.from(keys.buffer).toString("latin1", start, keyEnds[position]);
}

/** The module at a position in the list, both its names empty where there is none. */
export function moduleAt(modules: ModuleList, position: number): Module {
  const key = position < 0 ? "" : moduleKey(modules, position);
  const length = modules.filenameLengths[position] ?? 0;
  return { debugFilename: key.slice(0, length), debugId: key.slice(length + 1) };
}
