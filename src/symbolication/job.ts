/** A module of a memory map, as the client wrote it. A module without a debug file or debug id has no symbols. */
export type MemoryMapEntry = readonly [debugFile: string, debugId: string];

/**
 * Stacks of frames that point into the modules of a memory map. The frames of all stacks are stored as columns, one stack
 * after the other, so that 60,000 frames cross threads as a few buffers.
 */
export interface Job {
  memoryMap: ModuleList;
  /** Number of frames of each stack. */
  stackLengths: Uint32Array<ArrayBuffer>;
  /** Per frame: index in the memory map, −1 for none. */
  moduleIndexes: Int32Array<ArrayBuffer>;
  /** Per frame: address relative to the module, −1 for unknown; rounded from 2^53 on. */
  moduleOffsets: Float64Array<ArrayBuffer>;
  /** Per frame: its offset if that is 2^53 or more, otherwise 0. Empty if no frame has such an offset. */
  exactOffsets: BigUint64Array<ArrayBuffer>;
}

/** Modules as columns, because a body of 20 MB can have millions. */
export interface ModuleList {
  /** `libxul.so/1410…`, the key in found_modules, of all modules, concatenated; ASCII. */
  keys: Uint8Array<ArrayBuffer>;
  /** Where each key ends. */
  keyEnds: Uint32Array<ArrayBuffer>;
  /** Length of the debug file in each key. */
  filenameLengths: Uint32Array<ArrayBuffer>;
}

export function listModules(entries: MemoryMapEntry[]): ModuleList {
  const keys = entries.map(([debugFile, debugId]) => `${debugFile}/${debugId}`);
  let end = 0;
  return {
    keys: new TextEncoder().encode(keys.join("")),
    keyEnds: Uint32Array.from(keys, (key) => (end += key.length)),
    filenameLengths: Uint32Array.from(entries, ([debugFile]) => debugFile.length),
  };
}

/** The key of the module at an index. */
export function moduleKey({ keys, keyEnds }: ModuleList, index: number): string {
  const start = keyEnds[index - 1] ?? 0;
  return Buffer.from(keys.buffer).toString("latin1", start, keyEnds[index]);
}

/** The entry at an index of the list. For an index of -1 both of its strings are empty. */
export function entryAt(modules: ModuleList, index: number): MemoryMapEntry {
  const key = index < 0 ? "" : moduleKey(modules, index);
  const length = modules.filenameLengths[index] ?? 0;
  return [key.slice(0, length), key.slice(length + 1)];
}
