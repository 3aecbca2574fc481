import { randomUUID } from "node:crypto";
import { RequestError } from "./requestError.ts";

const maxDepth = 500;
/** 2^53 has 16 digits. A number represents shorter integers exactly. */
const minInexactDigits = 16;

const quote = '"'.charCodeAt(0);
const backslash = "\\".charCodeAt(0);

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses JSON in UTF-8, with or without a byte order mark. Integers that a number cannot represent exactly become bigints.
 * Throws a RequestError for anything else, and for nesting over 500 levels.
 */
export function parseJson(body: Uint8Array): unknown {
  const { depth, longestInteger } = survey(body);
  if (depth > maxDepth) throw invalidJson();
  try {
    const text = utf8.decode(body);
    if (longestInteger < minInexactDigits) return JSON.parse(text);
    return restoreIntegers(JSON.parse(text.replaceAll(stringOrLongInteger, markInteger)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw invalidJson();
    throw error;
  }
}

/** Also the error for a body that cannot be decompressed. */
export function invalidJson(): RequestError {
  return new RequestError("Payload is not valid JSON", "bad_json");
}

/** A string, or an integer such as `-18446744073709551615` or `18446744073709551615.0`. */
const stringOrLongInteger = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?[1-9]\d{15,}(?:\.0+)?(?![\d.eE])/gs;

/** Nobody can send it, because nobody can guess it. */
const markKey = randomUUID();

/** Wraps an integer that a number can't represent. A reviver for JSON.parse() would be called for each value, ten times as slow. */
function markInteger(match: string): string {
  if (match.startsWith('"') || Number.isSafeInteger(Number(match))) return match;
  return `{"${markKey}":"${match.replace(/\..*/, "")}"}`;
}

function restoreIntegers(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = value as Record<string, unknown>;
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) {
      if (typeof item === "object") value[index] = restoreIntegers(item);
    }
  else if (markKey in value) return BigInt(members[markKey] as string);
  else
    for (const key of Object.keys(value)) {
      if (typeof members[key] === "object") members[key] = restoreIntegers(members[key]);
    }
  return value;
}

/** Finds the deepest nesting and the longest run of digits outside strings before JSON.parse() meets them. */
function survey(body: Uint8Array): { depth: number; longestInteger: number } {
  let open = 0;
  let depth = 0;
  let digits = 0;
  let longestInteger = 0;
  for (let position = 0; position < body.length; position++) {
    const byte = body[position] as number;
    if (byte >= 0x30 && byte <= 0x39) {
      if (++digits > longestInteger) longestInteger = digits;
      continue;
    }
    digits = 0;
    // `[` and `{` differ in one bit, as do `]` and `}`.
    if ((byte & 0xdf) === 0x5b) {
      if (++open > depth) depth = open;
    } else if ((byte & 0xdf) === 0x5d) {
      open--;
    } else if (byte === quote) {
      for (position++; position < body.length && body[position] !== quote; position++)
        if (body[position] === backslash) position++;
    }
  }
  return { depth, longestInteger };
}
