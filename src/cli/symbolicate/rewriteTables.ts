import type { AnsweredFrame } from "../../../web/static/captures/answer.js";
import type { Location } from "../../../web/static/captures/capture.js";
import type { SampledThread } from "../../../web/static/captures/sampledThread.js";
import type { DistinctStrings } from "./distinctStrings.ts";
import { addRow, emptyTable, rowOf, type ProfileTable, type Row } from "./profileTable.ts";
import { remember } from "./remember.ts";

/** Tables of a processed profile that refer to each other. */
export interface ProfileTables {
  frameTable: ProfileTable;
  funcTable: ProfileTable;
  stackTable: ProfileTable;
  resourceTable?: { lib?: (number | null)[] };
  /** Since version 36. */
  nativeSymbols?: ProfileTable;
}

interface Parts {
  reader: Pick<SampledThread, "callerOf" | "frameOf" | "inlineDepth">;
  /** What is known of each frame. */
  answers: AnsweredFrame[];
  strings: DistinctStrings;
  /** The place of a source file, by that of its name, where profiles have a table of those. */
  sourceOf: ((filename: number) => number) | undefined;
}

/**
 * Makes the tables anew: a frame whose function is known gets that, and calls that were inlined get frames and stacks of
 * their own, further in. Functions that no frame refers to any more are left out. Gives the new place of each stack, −1 for
 * one that is no more.
 */
export function rewriteTables(tables: ProfileTables, parts: Parts): Int32Array {
  const { reader, answers } = parts;
  const { funcTable, nativeSymbols } = tables;
  const funcs = emptyTable(funcTable);
  const natives = nativeSymbols && emptyTable(nativeSymbols);
  const frames = emptyTable(tables.frameTable);
  const keptFunc = remember((func: number) => addRow(funcs, rowOf(funcTable, func)));
  const keptNative = remember((symbol: number) =>
    natives ? addRow(natives, rowOf(nativeSymbols ?? natives, symbol)) : null,
  );
  const funcOf = functionAdder(funcs, parts);
  const nativeOf = symbolAdder(natives, parts.strings);

  function keptFrame(row: Row): number {
    const { func, nativeSymbol } = row;
    const kept = { func: keptFunc(Number(func)), nativeSymbol: nativeSymbol ?? null };
    if (typeof nativeSymbol === "number") kept.nativeSymbol = keptNative(nativeSymbol);
    return addRow(frames, { ...row, ...kept });
  }

  /** Outermost first. */
  const framesOf = remember((frame: number): number[] => {
    const row = rowOf(tables.frameTable, frame);
    const answer = answers[frame];
    if (answer?.function_offset === undefined) return [keptFrame(row)];
    // An inlined call that was found before: its caller has those that are known now.
    if (reader.inlineDepth(frame) > 0) return [];
    const before = rowOf(funcTable, Number(row["func"]));
    const address = Number(answer.module_offset) - Number(answer.function_offset);
    const lib = row["lib"] ?? tables.resourceTable?.lib?.[Number(before["resource"])];
    const nativeSymbol = nativeOf(Number(lib), address, answer.function ?? "");
    const calls = [answer, ...(answer.inlines ?? []).toReversed()];
    return calls.map((call, inlineDepth) =>
      addRow(frames, {
        ...row,
        func: funcOf(call, before, address),
        nativeSymbol,
        inlineDepth,
        line: call.line ?? null,
        column: null,
        originalLocation: null,
      }),
    );
  });

  const { stacks, places } = rewriteStacks(tables.stackTable, reader, framesOf);
  Object.assign(tables, { frameTable: frames, funcTable: funcs, stackTable: stacks });
  if (natives) tables.nativeSymbols = natives;
  return places;
}

/** Adds functions, each once: one of the same name and file is the same to the profiler. */
function functionAdder(funcs: ProfileTable, { strings, sourceOf }: Parts) {
  const places = new Map<string, number>();
  return ({ function: name = "", file }: Location, before: Row, address: number): number => {
    const { resource, isJS, relevantForJS } = before;
    const key = `${String(resource)}\n${file ?? ""}\n${name}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const fileName = file === undefined ? null : strings.placeOf(file);
    const source = fileName === null ? null : sourceOf?.(fileName);
    const place = addRow(funcs, {
      name: strings.placeOf(name),
      resource,
      isJS,
      relevantForJS,
      fileName,
      source,
      address,
    });
    places.set(key, place);
    return place;
  };
}

/** Adds native symbols, each once. */
function symbolAdder(natives: ProfileTable | undefined, strings: DistinctStrings) {
  const places = new Map<string, number>();
  return (libIndex: number, address: number, name: string): number | null => {
    if (!natives) return null;
    const key = `${libIndex} ${address}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = addRow(natives, { libIndex, address, name: strings.placeOf(name) });
    places.set(key, place);
    return place;
  };
}

function rewriteStacks(
  stackTable: ProfileTable,
  reader: Parts["reader"],
  framesOf: (frame: number) => number[],
): { stacks: ProfileTable; places: Int32Array } {
  const stacks = emptyTable(stackTable);
  const places = new Int32Array(stackTable.length).fill(-1);
  for (let stack = 0; stack < stackTable.length; stack++) {
    const caller = reader.callerOf(stack) ?? -1;
    if (caller >= stack) throw new TypeError(`stack ${stack} has a caller that doesn't stand before it`);
    let place = places[caller] ?? -1;
    for (const frame of framesOf(reader.frameOf(stack))) {
      const prefix = place < 0 ? null : place;
      const prefixOffset = place < 0 ? 0 : stacks.length - place;
      place = addRow(stacks, { ...rowOf(stackTable, stack), frame, prefix, prefixOffset });
    }
    places[stack] = place;
  }
  return { stacks, places };
}
