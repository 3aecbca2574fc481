import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonText } from "../src/captures/jsonText.ts";
import { LazyArray, parseJson } from "../src/captures/largeJson.ts";
import { captureOf } from "../src/captures/readCapture.ts";
import { symbolicateCapture, type Post } from "../src/captures/symbolicateCapture.ts";
import { UnreadableCapture } from "../src/captures/unreadableCapture.ts";
import { writeBackOf } from "../src/captures/writeBack.ts";
import { geckoProfile, processedProfile } from "./cli/profiles.ts";
import * as sample from "./page/sampleCaptures.ts";

const libraries = [
  { debugName: "libxul.so", breakpadId: "AB" },
  { debugName: "firefox", breakpadId: "CD" },
];
const threads = Array.from({ length: 7 }, (_, index) => ({
  name: `Thread, "[${index}]"`,
  stacks: [
    ["(root)", [0, 0x10 + index], [1, 0x20]],
    ["(root)", [0, 0x30], [0, 0x10 + index]],
  ] as [string, [number, number], [number, number]][],
}));

/** Finds a function and an inlined call at each offset. */
const post: Post = async (body) => {
  const { memoryMap, stacks } = JSON.parse(body) as { memoryMap: string[][]; stacks: [number, number][][] };
  return {
    results: stacks.map((stack) => ({
      stacks: [
        stack.map(([module, offset], frame) => ({
          frame,
          module: memoryMap[module]?.[0] ?? "",
          module_offset: `0x${offset.toString(16)}`,
          function: `f${offset}`,
          function_offset: "0x1",
          file: `${module}.c`,
          line: offset,
          inlines: [{ function: `i${offset}`, file: "i.h", line: 1 }],
        })),
      ],
      found_modules: Object.fromEntries(memoryMap.map((module) => [module.join("/"), true])),
    })),
  };
};

async function symbolicate(file: object): Promise<unknown> {
  const capture = captureOf(file);
  assert.ok(capture);
  const { wanted, addSymbols } = writeBackOf(file, capture);
  const symbolicated = await symbolicateCapture(wanted, post, () => {});
  const pieces = [...jsonText(addSymbols(symbolicated))];
  return JSON.parse(
    pieces.map((piece) => (typeof piece === "string" ? piece : Buffer.from(piece).toString())).join(""),
  );
}

function stacksOf(file: object) {
  return Array.from(captureOf(file)?.threads ?? [], ({ name, stacks }) => ({
    name,
    stacks: stacks.map(({ samples, frames }) => ({ samples, frames })),
  }));
}

const profiles = {
  ...Object.fromEntries(
    [30, 37, 41, 49, 56, 58, 60, 66, 70].map((version) => [
      `version ${version}`,
      processedProfile(version, threads, libraries),
    ]),
  ),
  "Gecko's format": geckoProfile(threads, libraries),
  "Gecko's format with processes": {
    ...geckoProfile(threads, libraries),
    processes: [geckoProfile(threads, libraries), geckoProfile(threads, libraries)],
  },
  "a sample": sample.processedProfile,
  "a sample with shared tables": sample.sharedProfile,
  "a sample in Gecko's format": sample.geckoProfile,
};

for (const [name, profile] of Object.entries(profiles))
  test(`symbolicates a profile that is read in parts like one that is parsed at once: ${name}`, async () => {
    for (const space of [0, 2]) {
      const text = Buffer.from(`\uFEFF ${JSON.stringify(profile, undefined, space)}\r\n`);
      const expected = await symbolicate(JSON.parse(JSON.stringify(profile)) as object);
      for (const maxBytes of [0, 30, 1000]) {
        const file = parseJson(text, maxBytes) as object;
        assert.deepEqual(stacksOf(file), stacksOf(profile));
        assert.deepEqual(await symbolicate(file), expected);
      }
    }
  });

test("parses any JSON in parts", () => {
  const values = [
    { a: 1, b: [1, 2, null, 'x,]}\\"', true], c: {}, d: [], 'é\\"': "\u2028😀", __proto__x: 1e300 },
    [null, null, { a: [[]] }, 5, [1, 2]],
    [[], [[]], [[1], {}]],
    '{"__proto__": {"a": [{"b": 1}]}}',
    "long ".repeat(100),
    [-0.5, 1e-7, false],
  ];
  const plain = (value: unknown): unknown => {
    if (value instanceof LazyArray || Array.isArray(value)) return Array.from(value, plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
  };
  for (const value of values)
    for (const maxBytes of [0, 1, 5, 20])
      for (const space of [0, 1]) {
        const text =
          typeof value === "string" && value.startsWith("{")
            ? value
            : JSON.stringify(value, undefined, space);
        assert.deepEqual(plain(parseJson(Buffer.from(text), maxBytes)), plain(JSON.parse(text)));
      }
});

test("explains what is wrong with JSON that is read in parts", () => {
  const read = (text: string | Buffer) => {
    const file = parseJson(typeof text === "string" ? new TextEncoder().encode(text) : text, 10) as Record<
      string,
      unknown
    >;
    for (const value of Object.values(file)) if (value instanceof LazyArray) for (const _ of value) continue;
  };
  for (const [text, message] of [
    [" \n ", /is empty/],
    ['{"a": [{"b": 1}, {"b": 2', /ends in the middle/],
    ['{"a": [{"b": 1}, {"b": 2}]', /ends in the middle/],
    ['{"a": "aaaaaaaaaaaa', /not JSON/],
    ['{"a" [{"b": 1}, {"b": 2}]}', /"\[" at byte 5/],
    ['{"a": [{"b": 1} {"b": 2}]}', /"\{" at byte 16/],
    ['{"a": [{"b": 1}, {"b" 2}]}', /not JSON/],
    ['{"a": [{"b": 1}, {"b": 2}]} x', /goes on after its end at byte 28/],
    ["[1, 2, 3, 4, 5, 6, 7, nonsense]", /not JSON/],
    [Buffer.from('{"a": ["\xff\xff\xff\xff\xff\xff\xff"]}', "latin1"), /not UTF-8/],
  ] as const)
    assert.throws(() => read(text), (error) => error instanceof UnreadableCapture && message.test(error.message), String(text)); // prettier-ignore
});

test("writes long lists in pieces", () => {
  const value = {
    numbers: Array.from({ length: 100_000 }, (_, index) => index),
    objects: Array.from({ length: 5000 }, (_, index) => ({ index, missing: undefined, list: [index, null] })),
    empty: [[], {}, null],
    undefined,
  };
  const pieces = [...jsonText(value)];
  assert.equal(pieces.join(""), JSON.stringify(value));
  assert.ok(pieces.length > 3 && pieces.every((piece) => piece.length < 100_000));
});
