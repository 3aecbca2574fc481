import { notJson, UnreadableCapture } from "./unreadableCapture.ts";

/** A list that is in memory, or a LazyArray. */
export interface List<Value> extends Iterable<Value> {
  map<Result>(transform: (value: Value) => Result): List<Result>;
}

const maxParsedBytes = 32 * 1024 * 1024;
/** Consecutive elements of an array are parsed together up to this size. */
const batchBytes = 1024 * 1024;
const [space, quote, comma, colon, backslash] = [0x20, 0x22, 0x2c, 0x3a, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
/** By byte: what it means for the extent of an object or array. */
const kinds = new Uint8Array(256);
const [opens, closes, quotes] = [1, 2, 3];
kinds.fill(opens, openBracket, openBracket + 1).fill(opens, openBrace, openBrace + 1);
kinds.fill(closes, closeBracket, closeBracket + 1).fill(closes, closeBrace, closeBrace + 1);
kinds[quote] = quotes;
const scalarEnds = new Set([comma, colon, closeBracket, closeBrace, 0x09, 0x0a, 0x0d, space]);
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Parses JSON text in UTF-8 of any size; JSON.parse() takes at most 512 MB. Arrays of over `maxBytes` that consist of objects
 * or arrays become LazyArrays. Throws an UnreadableCapture.
 */
export function parseJson(text: Uint8Array, maxBytes = maxParsedBytes): unknown {
  const start = byteOrderMark.every((byte, at) => text[at] === byte) ? byteOrderMark.length : 0;
  if (skipSpace(text, start) === text.length) throw new UnreadableCapture("This is empty.");
  return new Parser(maxBytes).parse(text.subarray(start));
}

/** An array whose elements are parsed, and transformed, each time they are iterated. */
export class LazyArray<Value> implements List<Value> {
  readonly #text: Uint8Array;
  readonly #parser: Parser;
  readonly #transform: ((element: unknown) => Value) | undefined;

  constructor(text: Uint8Array, parser: Parser, transform?: (element: unknown) => Value) {
    this.#text = text;
    this.#parser = parser;
    this.#transform = transform;
  }

  /** The array as JSON text, if it was not transformed. */
  get text(): Uint8Array | undefined {
    return this.#transform ? undefined : this.#text;
  }

  map<Result>(transform: (value: Value) => Result): LazyArray<Result> {
    const before = this.#transform;
    const both = (element: unknown) => transform(before ? before(element) : (element as Value));
    return new LazyArray(this.#text, this.#parser, both);
  }

  toJSON(): Value[] {
    return [...this];
  }

  *[Symbol.iterator](): Iterator<Value> {
    for (const batch of this.batches()) yield* batch;
  }

  /** Consecutive elements. One that is large itself is alone. */
  *batches(): Generator<Value[]> {
    for (const batch of this.#parser.batches(this.#text))
      yield this.#transform ? batch.map(this.#transform) : (batch as Value[]);
  }
}

class Parser {
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  parse(text: Uint8Array): unknown {
    if (text.length <= this.#maxBytes) return parseText(text);
    const first = text[skipSpace(text, 0)];
    if (first === openBrace) return Object.fromEntries(this.#entries(text));
    if (first !== openBracket) return parseText(text);
    for (const element of split(text, 0)) {
      const byte = element[0];
      if (byte === openBrace || byte === openBracket) return new LazyArray(text, this);
      // Arrays of scalars may start with null.
      if (element.length !== "null".length) break;
    }
    const array: unknown[] = [];
    for (const batch of this.batches(text)) for (const element of batch) array.push(element);
    return array;
  }

  /** The elements of an array, parsed. */
  *batches(text: Uint8Array): Generator<unknown[]> {
    for (const batch of split(text, Math.min(batchBytes, this.#maxBytes)))
      yield batch.length > this.#maxBytes ? [this.parse(batch)] : (parseText(batch, "[", "]") as unknown[]);
  }

  *#entries(text: Uint8Array): Generator<[string, unknown]> {
    let at = skipSpace(text, skipSpace(text, 0) + 1);
    if (text[at] === closeBrace) return;
    for (;;) {
      const keyEnd = valueEnd(text, at);
      const key = parseText(text.subarray(at, keyEnd)) as string;
      at = skipSpace(text, expect(text, skipSpace(text, keyEnd), colon));
      const end = valueEnd(text, at);
      yield [key, this.parse(text.subarray(at, end))];
      at = skipSpace(text, end);
      if (text[at] === closeBrace) break;
      at = skipSpace(text, expect(text, at, comma));
    }
    expectEnd(text, at + 1);
  }
}

/** The text of each element of an array, or of consecutive elements together if they have at most `maxBytes`. */
function* split(text: Uint8Array, maxBytes: number): Generator<Uint8Array> {
  let start = skipSpace(text, skipSpace(text, 0) + 1);
  let next = start;
  const isNumeric = [quote, openBracket, openBrace].every((byte) => text.indexOf(byte, start) < 0);
  for (let at = start; text[next] !== closeBracket;) {
    // Every comma between numbers separates two elements.
    if (isNumeric && maxBytes > 0)
      at = Math.max(at, skipSpace(text, text.lastIndexOf(comma, start + maxBytes) + 1));
    const end = valueEnd(text, at);
    if (at > start && end - start > maxBytes) {
      yield text.subarray(start, text.lastIndexOf(comma, at - 1));
      start = at;
    }
    next = skipSpace(text, end);
    if (text[next] === closeBracket) yield text.subarray(start, end);
    else at = skipSpace(text, expect(text, next, comma));
  }
  expectEnd(text, next + 1);
}

/** The end of the value that starts at `start`. Does not check the text inside the value. */
function valueEnd(text: Uint8Array, start: number): number {
  const { length } = text;
  const first = kinds[text[start] ?? space];
  if (first === quotes) return stringEnd(text, start);
  let at = start;
  if (first !== opens) {
    while (at < length && !scalarEnds.has(text[at] as number)) at++;
    return at;
  }
  for (let depth = 0; at < length; at++) {
    const kind = kinds[text[at] as number] as number;
    if (kind === 0) continue;
    if (kind === opens) depth++;
    else if (kind === quotes) at = stringEnd(text, at) - 1;
    else if (--depth === 0) return at + 1;
  }
  return length;
}

function stringEnd(text: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function skipSpace(text: Uint8Array, at: number): number {
  while ((text[at] ?? Infinity) <= space) at++;
  return at;
}

function expect(text: Uint8Array, at: number, byte: number): number {
  if (text[at] === byte) return at + 1;
  if (at >= text.length) throw new UnreadableCapture("This is not JSON: it ends in the middle.");
  const found = JSON.stringify(String.fromCharCode(text[at] as number));
  throw new UnreadableCapture(
    `This is not JSON: ${found} at byte ${text.byteOffset + at} instead of "${String.fromCharCode(byte)}".`,
  );
}

function expectEnd(text: Uint8Array, at: number): void {
  const end = skipSpace(text, at);
  if (end < text.length)
    throw new UnreadableCapture(
      `This is not JSON: it goes on after its end at byte ${text.byteOffset + end}.`,
    );
}

function parseText(text: Uint8Array, before = "", after = ""): unknown {
  try {
    return JSON.parse(
      before + new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text) + after,
    );
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson(error);
    if (error instanceof TypeError)
      throw new UnreadableCapture("This is not JSON: its text is not UTF-8.", { cause: error });
    throw error;
  }
}
