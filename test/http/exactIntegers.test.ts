import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseJson } from "../../src/codec/parseJson.ts";

/** The value that a reviver makes of JSON text, or `invalid`. */
function withReviver(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { source: string }) => {
      if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
      const [, digits] = /^(-?[0-9]+)(?:\.0*)?$/.exec(context?.source ?? "") ?? [];
      return digits === undefined ? value : BigInt(digits);
    });
  } catch {
    return "invalid";
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(Buffer.from(text));
  } catch {
    return "invalid";
  }
}

const numbers = ["12345678901234567890", "-18446744073709551615", "9007199254740993", "9007199254740991", "18446744073709551615.0", "1234567890123456.50", "01234567890123456789", "12345678901234567890e1", "1e19"]; // prettier-ignore
const tokens = [...numbers, "[", "]", "{", "}", ",", ":", '"a"', '"\\""', '"12345678901234567890"', '"__proto__":', "-", "+", ".", "e", " ", "null"]; // prettier-ignore

test("reads integers past 2^53 exactly, and accepts what JSON.parse() accepts", () => {
  const texts = fc.array(fc.constantFrom(...tokens), { maxLength: 10 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => assert.deepEqual(parsed(text), withReviver(text))),
    { numRuns: 20_000 },
  );
  const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(...numbers, '"12345678901234567890"'),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      fc.array(fc.tuple(fc.constantFrom('"a"', '"b"', '"__proto__"'), tie("value")), { maxLength: 4 }).map((members) => `{${members.map((member) => member.join(":")).join(",")}}`), // prettier-ignore
    ),
  })).value;
  fc.assert(
    fc.property(value, (text) => assert.deepEqual(parsed(text), withReviver(text))),
    { numRuns: 5000 },
  );
});
