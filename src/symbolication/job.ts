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
  /**
   * `libxul.so/1410…`, the key in found_modules, of all modules, concatenated. JSON text in UTF-8 without quotes: JSON can
   * express unpaired surrogates, and responses copy the bytes.
   */
  keys: Uint8Array<ArrayBuffer>;
  /** Where each key ends. */
  keyEnds: Uint32Array<ArrayBuffer>;
  /** Bytes of the debug file in each key. */
  filenameLengths: Uint32Array<ArrayBuffer>;
}

export function listModules(entries: MemoryMapEntry[]): ModuleList {
  const keys = entries.map(([debugFile, debugId]) => jsonText(`${debugFile}/${debugId}`));
  let end = 0;
  return {
    keys: new TextEncoder().encode(keys.join("")),
    keyEnds: Uint32Array.from(keys, (key) => (end += Buffer.byteLength(key))),
    filenameLengths: Uint32Array.from(entries, ([debugFile]) => Buffer.byteLength(jsonText(debugFile))),
  };
}

/** The key of the module at an index. */
export function moduleKey({ keys, keyEnds }: ModuleList, index: number): string {
  return fromJsonText(keys, keyEnds[index - 1] ?? 0, keyEnds[index]);
}

/** The entry at an index of the list. For an index of -1 both of its strings are empty. */
export function entryAt(modules: ModuleList, index: number): MemoryMapEntry {
  const { keys, keyEnds, filenameLengths } = modules;
  const length = filenameLengths[index];
  if (length === undefined) return ["", ""];
  const start = keyEnds[index - 1] ?? 0;
  const filenameEnd = start + length;
  return [fromJsonText(keys, start, filenameEnd), fromJsonText(keys, filenameEnd + 1, keyEnds[index])];
}

/** The string as JSON text without quotes. */
function jsonText(string: string): string {
  return JSON.stringify(string).slice(1, -1);
}

function fromJsonText({ buffer }: Uint8Array<ArrayBuffer>, start: number, end: number | undefined): string {
  const text = Buffer.from(buffer).toString("utf8", start, end);
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}
