import type { Location } from "./capture.ts";
import {
  addRow,
  emptyTable,
  memoize,
  rowOf,
  type ProfileTable,
  type Row,
  type StringTable,
} from "./profileTable.ts";
import type { SymbolicatedFrame } from "./response.ts";
import { callerBefore, type SampledThread } from "./sampledThread.ts";

/** Tables of a processed profile that refer to each other. */
export interface ProfileTables {
  frameTable: ProfileTable;
  funcTable: ProfileTable;
  stackTable: ProfileTable;
  resourceTable?: { lib?: (number | null)[] };
  /** Since version 36. */
  nativeSymbols?: ProfileTable;
}

interface RewriteOptions {
  reader: Pick<SampledThread, "callerOf" | "frameOf" | "inlineDepth">;
  /** The symbols of each row of the frame table: of a sampled address, and of the call before a return address. */
  symbols: { sampled: SymbolicatedFrame[]; callers: SymbolicatedFrame[] };
  /** The stacks of samples. */
  sampledStacks: ReadonlySet<number>;
  strings: StringTable;
  /** The source with a file name, both as indexes, in profiles that have a table of sources. */
  sourceOf: ((filename: number) => number) | undefined;
}

/**
 * Builds the tables anew, with the functions that are known now, and with a frame and a stack for each inlined call. Unused
 * functions are dropped. Returns the new index of each stack, −1 for one that is gone.
 */
export function rewriteTables(tables: ProfileTables, options: RewriteOptions): Int32Array {
  const { reader, symbols } = options;
  const { funcTable, nativeSymbols } = tables;
  const funcs = emptyTable(funcTable);
  const natives = nativeSymbols && emptyTable(nativeSymbols);
  const frames = emptyTable(tables.frameTable);
  const keptFunc = memoize((func: number) => addRow(funcs, rowOf(funcTable, func)));
  const keptNative = memoize((symbol: number) =>
    natives ? addRow(natives, rowOf(nativeSymbols ?? natives, symbol)) : null,
  );
  const funcOf = functionAdder(funcs, options);
  const nativeOf = nativeSymbolAdder(natives, options.strings);

  function keptFrame(row: Row): number {
    const { func, nativeSymbol } = row;
    const native = typeof nativeSymbol === "number" ? keptNative(nativeSymbol) : (nativeSymbol ?? null);
    return addRow(frames, { ...row, func: keptFunc(Number(func)), nativeSymbol: native });
  }

  const addFrames = (frame: number, found: SymbolicatedFrame | undefined): number[] => {
    const row = rowOf(tables.frameTable, frame);
    if (!isKnown(found)) return [keptFrame(row)];
    // The outer function brings its inlined calls along.
    if (reader.inlineDepth(frame) > 0) return [];
    const oldFunc = rowOf(funcTable, Number(row["func"]));
    const address = Number(found.module_offset) - Number(found.function_offset);
    const lib = row["lib"] ?? tables.resourceTable?.lib?.[Number(oldFunc["resource"])];
    const nativeSymbol = nativeOf(Number(lib), address, found.function ?? "");
    const calls = [found, ...(found.inlines ?? []).toReversed()];
    return calls.map((call, inlineDepth) =>
      addRow(frames, {
        ...row,
        func: funcOf(call, oldFunc, address),
        nativeSymbol,
        inlineDepth,
        line: call.line ?? null,
        column: null,
        originalLocation: null,
      }),
    );
  };
  const callerFrames = memoize((frame: number) => addFrames(frame, symbols.callers[frame]));
  const sampledFrames = memoize((frame: number) =>
    symbols.sampled[frame] === symbols.callers[frame] || !isKnown(symbols.sampled[frame])
      ? callerFrames(frame)
      : addFrames(frame, symbols.sampled[frame]),
  );

  const { stacks, newStacks } = rewriteStacks(tables.stackTable, options, { sampledFrames, callerFrames });
  Object.assign(tables, { frameTable: frames, funcTable: funcs, stackTable: stacks });
  if (natives) tables.nativeSymbols = natives;
  return newStacks;
}

/** Adds each function once. Functions with equal name, file and resource are the same to the profiler. */
function functionAdder(funcs: ProfileTable, { strings, sourceOf }: RewriteOptions) {
  const indexes = new Map<string, number>();
  return ({ function: name = "", file }: Location, oldFunc: Row, address: number): number => {
    const { resource, isJS, relevantForJS } = oldFunc;
    const key = `${String(resource)}\n${file ?? ""}\n${name}`;
    let index = indexes.get(key);
    if (index !== undefined) return index;
    const fileName = file === undefined ? null : strings.indexOf(file);
    index = addRow(funcs, {
      name: strings.indexOf(name),
      resource,
      isJS,
      relevantForJS,
      fileName,
      source: fileName === null ? null : sourceOf?.(fileName),
      address,
    });
    indexes.set(key, index);
    return index;
  };
}

/** Adds each native symbol once. */
function nativeSymbolAdder(natives: ProfileTable | undefined, strings: StringTable) {
  const indexes = new Map<string, number>();
  return (libIndex: number, address: number, name: string): number | null => {
    if (!natives) return null;
    const key = `${libIndex} ${address}`;
    let index = indexes.get(key);
    if (index === undefined) {
      index = addRow(natives, { libIndex, address, name: strings.indexOf(name) });
      indexes.set(key, index);
    }
    return index;
  };
}

function isKnown(frame: SymbolicatedFrame | undefined): frame is SymbolicatedFrame {
  return frame?.function_offset !== undefined;
}

/** New frames of an old one, outermost first. */
interface NewFrames {
  sampledFrames: (frame: number) => number[];
  callerFrames: (frame: number) => number[];
}

/** A stack that is both a sample and a caller is split in two if its frame differs as one and as the other. */
function rewriteStacks(
  stackTable: ProfileTable,
  { reader, sampledStacks }: RewriteOptions,
  { sampledFrames, callerFrames }: NewFrames,
): { stacks: ProfileTable; newStacks: Int32Array } {
  const stacks = emptyTable(stackTable);
  const asCaller = new Int32Array(stackTable.length).fill(-1);
  const newStacks = new Int32Array(stackTable.length).fill(-1);
  const callers = new Set<number>();
  for (let stack = 0; stack < stackTable.length; stack++) callers.add(callerBefore(reader, stack) ?? -1);
  const addStack = (stack: number, frames: number[]): number => {
    let caller = asCaller[callerBefore(reader, stack) ?? -1] ?? -1;
    for (const frame of frames) {
      const prefix = caller < 0 ? null : caller;
      const prefixOffset = caller < 0 ? 0 : stacks.length - caller;
      caller = addRow(stacks, { ...rowOf(stackTable, stack), frame, prefix, prefixOffset });
    }
    return caller;
  };
  for (let stack = 0; stack < stackTable.length; stack++) {
    const frame = reader.frameOf(stack);
    const isSampled = sampledStacks.has(stack);
    const isSplit = isSampled && sampledFrames(frame) !== callerFrames(frame);
    if (!isSplit || callers.has(stack)) asCaller[stack] = addStack(stack, callerFrames(frame));
    newStacks[stack] = isSplit ? addStack(stack, sampledFrames(frame)) : (asCaller[stack] ?? -1);
  }
  return { stacks, newStacks };
}
