import { RequestError } from "./requestError.ts";

const maxDepth = 500;
/** 2^53 has 16 digits: a shorter integer is exact as a number. */
const digitsOfInexact = 16;

const quote = '"'.charCodeAt(0);
const backslash = "\\".charCodeAt(0);

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value that `body` holds, UTF-8 with or without a byte order mark.
 * Integers that a number can't hold exactly are bigints.
 * Throws an HttpError for what is not JSON, not UTF-8, or nested over 500 levels.
 */
export function parseJson(body: Uint8Array): unknown {
  const { depth, longestInteger } = survey(body);
  if (depth > maxDepth) throw invalidJson();
  try {
    const text = utf8.decode(body);
    return longestInteger < digitsOfInexact ? JSON.parse(text) : JSON.parse(text, exactInteger);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw invalidJson();
    throw error;
  }
}

/** Also the error for a body that cannot be decompressed. */
export function invalidJson(): RequestError {
  return new RequestError("Payload is not valid JSON", "bad_json");
}

/** A reviver; TypeScript's library doesn't know yet that it is given the source text. */
function exactInteger(_key: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const [, digits] = /^(-?[0-9]+)(?:\.0*)?$/.exec(context?.source ?? "") ?? [];
  return digits === undefined ? value : BigInt(digits);
}

/** The deepest nesting and the longest run of digits outside strings: what JSON.parse() must not be left to find out. */
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
    // [ and {, ] and } differ in one bit each.
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
