import { LazyArray } from "./largeJson.ts";

/** Elements of an array that are written together. */
const elementsPerPiece = 1000;
const pieceLength = 64 * 1024;

type Piece = string | Uint8Array;

/** Writes JSON in pieces, because a string has at most 512 MB, and elements of a LazyArray need not be in memory together. */
export function* jsonText(value: unknown): Generator<Piece> {
  let text = "";
  for (const piece of write(value)) {
    if (typeof piece === "string" && (text += piece).length < pieceLength) continue;
    if (text !== "") yield text;
    text = "";
    if (typeof piece !== "string") yield piece;
  }
  if (text !== "") yield text;
}

function* write(value: unknown): Generator<Piece> {
  if (value instanceof LazyArray) {
    if (value.text) yield value.text;
    else yield* writeList("[", value, write, "]");
  } else if (Array.isArray(value)) {
    if (typeof value[0] === "object" && value[0] !== null && !Array.isArray(value[0]))
      yield* writeList("[", value, write, "]");
    else yield* writeList("[", chunks(value), (chunk) => [JSON.stringify(chunk).slice(1, -1)], "]");
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    yield* writeList("{", entries, writeEntry, "}");
  } else yield JSON.stringify(value ?? null);
}

function* writeEntry([key, value]: [string, unknown]): Generator<Piece> {
  yield `${JSON.stringify(key)}:`;
  yield* write(value);
}

function* writeList<Value>(
  start: string,
  values: Iterable<Value>,
  writeValue: (value: Value) => Iterable<Piece>,
  end: string,
): Generator<Piece> {
  let separator = start;
  for (const value of values) {
    yield separator;
    yield* writeValue(value);
    separator = ",";
  }
  yield separator === start ? start + end : end;
}

function* chunks<Value>(array: Value[]): Generator<Value[]> {
  for (let start = 0; start < array.length; start += elementsPerPiece)
    yield array.slice(start, start + elementsPerPiece);
}
