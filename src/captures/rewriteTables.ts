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
  /** The symbols of each row of the frame table. */
  symbols: SymbolicatedFrame[];
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

  /** Outermost first. */
  const framesOf = memoize((frame: number): number[] => {
    const row = rowOf(tables.frameTable, frame);
    const found = symbols[frame];
    if (found?.function_offset === undefined) return [keptFrame(row)];
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
  });

  const { stacks, newStacks } = rewriteStacks(tables.stackTable, reader, framesOf);
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

function rewriteStacks(
  stackTable: ProfileTable,
  reader: RewriteOptions["reader"],
  framesOf: (frame: number) => number[],
): { stacks: ProfileTable; newStacks: Int32Array } {
  const stacks = emptyTable(stackTable);
  const newStacks = new Int32Array(stackTable.length).fill(-1);
  for (let stack = 0; stack < stackTable.length; stack++) {
    let caller = newStacks[callerBefore(reader, stack) ?? -1] ?? -1;
    for (const frame of framesOf(reader.frameOf(stack))) {
      const prefix = caller < 0 ? null : caller;
      const prefixOffset = caller < 0 ? 0 : stacks.length - caller;
      caller = addRow(stacks, { ...rowOf(stackTable, stack), frame, prefix, prefixOffset });
    }
    newStacks[stack] = caller;
  }
  return { stacks, newStacks };
}
