import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { startTestService } from "../support/service.ts";

const service = await startTestService();
test.after(() => service[Symbol.asyncDispose]());

const plain = ["plain.so", "000000000000000000000000000000010"] as const;
const windows = ["windows.pdb", "0123456789ABCDEF0123456789ABCDEF1"] as const;

const debugFilename = fc.constantFrom(
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "",
  "[vdso]",
  "a b",
  "...",
  "..",
  "a/b",
  'C:\\x"y\\z.pdb',
  "a\u0000\n\u2028",
  "\ud800",
  "搜狗 😀.dll",
  "x".repeat(256),
);
const debugId = fc.constantFrom(
  "",
  "0",
  "abc",
  "ABC",
  "not hex",
  "é",
  plain[1],
  "F".repeat(64),
  "F".repeat(65),
);
const module = fc.oneof(fc.constantFrom(plain, windows), fc.tuple(debugFilename, debugId));

/** Integers of JSON as a client may write them: text, as many are past what a number holds. */
const moduleOffset = fc.oneof(
  fc.bigInt({ min: -1n, max: 0x3000n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n),
);

const job = fc.array(module, { maxLength: 4 }).chain((memoryMap) =>
  fc.record({
    memoryMap: fc.constant(memoryMap),
    stacks: fc.array(
      fc.array(fc.tuple(fc.integer({ min: -1, max: memoryMap.length - 1 }), moduleOffset), { maxLength: 5 }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);
type Job = typeof job extends fc.Arbitrary<infer Value> ? Value : never;

function bodyOf(jobs: Job[]): string {
  const texts = jobs.map(({ memoryMap, stacks }) => {
    const stackTexts = stacks.map(
      (stack) => `[${stack.map(([index, offset]) => `[${index},${offset}]`).join()}]`,
    );
    return `{"memoryMap":${JSON.stringify(memoryMap)},"stacks":[${stackTexts.join()}]}`;
  });
  return `{"jobs":[${texts.join()}]}`;
}

const moduleNames: Record<string, string> = { [windows.join("/")]: "windows.dll" };

/** What an answer must say of a frame, whatever its module's symbols. */
function expectedFrames({ memoryMap, stacks }: Job) {
  return stacks.map((stack) =>
    stack.map(([index, offset], frame) => {
      const [name, id] = memoryMap[index] ?? ["", ""];
      return {
        frame,
        module: moduleNames[`${name}/${id}`] ?? (name || "<unknown>"),
        module_offset: offset < 0n ? "-0x1" : `0x${offset.toString(16)}`,
      };
    }),
  );
}

interface Frame {
  frame: number;
  module: string;
  module_offset: string;
}

test("echoes every frame of every valid request at its position", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 10 }), async (jobs) => {
      const response = await service.post("/symbolicate/v5", bodyOf(jobs));
      assert.equal(response.status, 200);
      const { results } = (await response.json()) as {
        results: { stacks: Frame[][]; found_modules: object }[];
      };
      const echoed = results.map(({ stacks }) =>
        stacks.map((stack) =>
          stack.map(({ frame, module: name, module_offset }) => ({ frame, module: name, module_offset })),
        ),
      );
      assert.deepEqual(echoed, jobs.map(expectedFrames));
      assert.deepEqual(
        results.map(({ found_modules }) => Object.keys(found_modules).toSorted()),
        jobs.map(({ memoryMap }) => [...new Set(memoryMap.map((pair) => pair.join("/")))].toSorted()),
      );
    }),
    { numRuns: 300 },
  );
});

test("answers any JSON with 200 or 400", async () => {
  const keys = fc.constantFrom("jobs", "memoryMap", "stacks", "__proto__", "version");
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, -1, 0, 0.5, 1e300, "plain.so", "AB", "a/b", ""),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.dictionary(keys, tie("json"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(json, fc.constantFrom("v4", "v5"), async (value, version) => {
      const response = await service.post(`/symbolicate/${version}`, JSON.stringify(value));
      const answer = (await response.json()) as object;
      assert.ok(response.status === 200 || response.status === 400, String(response.status));
      if (response.status === 400) assert.deepEqual(Object.keys(answer), ["title"]);
    }),
    { numRuns: 300 },
  );
});

test("answers random bytes with 400", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
      const { status } = await service.post("/symbolicate/v5", bytes);
      assert.equal(status, 400);
    }),
    { numRuns: 200 },
  );
});
