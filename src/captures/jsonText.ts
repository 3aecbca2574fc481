import { LazyArray } from "./largeJson.ts";

/** Elements of an array that are written together. */
const elementsPerPiece = 1000;

/**
 * Writes JSON in pieces, because a string has at most 512 MB, and the elements of a LazyArray need not be in memory together.
 * Objects in arrays are written whole.
 */
export function* jsonText(value: unknown): Generator<string | Uint8Array> {
  if (value instanceof LazyArray && value.text) yield value.text;
  else if (value instanceof LazyArray) yield* list("[", value.batches(), writeBatch, "]");
  else if (Array.isArray(value)) yield* list("[", chunks(value), writeBatch, "]");
  else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    yield* list("{", entries, writeEntry, "}");
  } else yield JSON.stringify(value ?? null);
}

function* writeEntry([key, value]: [string, unknown]): Generator<string | Uint8Array> {
  yield `${JSON.stringify(key)}:`;
  yield* jsonText(value);
}

function* writeBatch(batch: unknown[]): Generator<string | Uint8Array> {
  if (batch.length === 1) yield* jsonText(batch[0]);
  else yield JSON.stringify(batch).slice(1, -1);
}

function* list<Value>(
  start: string,
  values: Iterable<Value>,
  write: (value: Value) => Iterable<string | Uint8Array>,
  end: string,
): Generator<string | Uint8Array> {
  let separator = start;
  for (const value of values) {
    yield separator;
    yield* write(value);
    separator = ",";
  }
  yield separator === start ? start + end : end;
}

function* chunks<Value>(array: Value[]): Generator<Value[]> {
  for (let start = 0; start < array.length; start += elementsPerPiece)
    yield array.slice(start, start + elementsPerPiece);
}
