import type { List } from "./largeJson.ts";

/** A table of a processed profile: columns of equal length. The version of the profile determines which exist. */
export interface ProfileTable {
  length: number;
  [column: string]: unknown;
}

/** The values at one index of all columns. */
export type Row = Record<string, unknown>;

/** An empty table with the same columns. */
export function emptyTable(table: ProfileTable): ProfileTable {
  const columns = Object.entries(table).map(([name, column]) => [name, Array.isArray(column) ? [] : column]);
  return { ...(Object.fromEntries(columns) as Row), length: 0 };
}

export function rowOf(table: ProfileTable, index: number): Row {
  const row: Row = {};
  for (const [name, column] of Object.entries(table)) if (Array.isArray(column)) row[name] = column[index];
  return row;
}

/** Adds a row, without the values that have no column, and returns its index. */
export function addRow(table: ProfileTable, row: Row): number {
  for (const [name, column] of Object.entries(table))
    if (Array.isArray(column)) column.push(row[name] ?? null);
  return table.length++;
}

/** A table of distinct strings that adds new ones. */
export class StringTable {
  readonly #list: string[];
  readonly #indexes: Map<string, number>;

  constructor(list: string[]) {
    this.#list = list;
    this.#indexes = new Map(list.map((text, index) => [text, index]));
  }

  indexOf(text: string): number {
    let index = this.#indexes.get(text);
    if (index === undefined) this.#indexes.set(text, (index = this.#list.push(text) - 1));
    return index;
  }
}

interface MarkerData {
  cause?: { stack?: number | null } | null;
  stack?: { samples?: { schema: Record<string, number>; data: List<(number | null)[]> } } | null;
}

/** Updates the stacks that the data of a marker, in either format of profile, refers to, and returns it. */
export function moveMarkerStacks<Data>(marker: Data, newStack: (stack: number) => number | null): Data {
  if (typeof marker !== "object" || marker === null) return marker;
  const { cause, stack } = marker as MarkerData;
  if (typeof cause?.stack === "number") cause.stack = newStack(cause.stack);
  // In some markers `stack` is a string.
  if (typeof stack !== "object" || !stack?.samples) return marker;
  const column = stack.samples.schema["stack"] ?? -1;
  stack.samples.data = Array.from(stack.samples.data, (sample) => {
    const before = sample[column];
    if (typeof before === "number") sample[column] = newStack(before);
    return sample;
  });
  return marker;
}

/** Caches the results of a function, which must not be undefined. */
export function memoize<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const values = new Map<Key, Value>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) values.set(key, (value = compute(key)));
    return value;
  };
}
