import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import * as fc from "fast-check";
import { openApi } from "../../openapi/document.ts";
import { BulkLine, V4Request, V5Request } from "../../openapi/schemas.ts";
import { parseJson } from "../../src/codec/parseJson.ts";
import { RequestError } from "../../src/codec/requestError.ts";
import { checkResponse } from "../support/checkResponse.ts";
import { startTestService } from "../support/service.ts";

const service = await startTestService();
after(() => service[Symbol.asyncDispose]());

test("serves a document that is OpenAPI 3.1", async () => {
  const response = await fetch(`${service.url}/openapi.json`);
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
  const document = (await response.json()) as Record<string, unknown>;
  assert.deepEqual(document, JSON.parse(JSON.stringify(openApi)));
  const { valid, errors } = await new Validator().validate(document);
  assert.ok(valid, JSON.stringify(errors));
});

test("serves it as a page without scripts, with valid links", async () => {
  const response = await fetch(`${service.url}/docs`);
  assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none';script-src 'self';style-src 'self';/); // prettier-ignore
  const html = await response.text();
  assert.doesNotMatch(html, /<script|style=|\son[a-z]+=|undefined|\[object/);
  for (const path of Object.keys(openApi.paths)) assert.ok(html.includes(` ${path}<`), path);
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id = ""] of html.matchAll(/ href="#([^"]+)"/g)) assert.ok(ids.includes(id), id);
  const [, sheet = ""] = /rel="stylesheet" href="([^"]+)"/.exec(html) ?? [];
  assert.equal((await fetch(service.url + sheet)).headers.get("content-type"), "text/css; charset=utf-8");
});

test("detects a response that is not in the document", () => {
  const answer = { method: "POST", path: "/symbolicate/v5", status: 200, contentType: "application/json" };
  const body = (frame: object) => JSON.stringify({ results: [{ stacks: [[frame]], found_modules: {} }] });
  const frame = { frame: 0, module: "a", module_offset: "0x1" };
  checkResponse({ ...answer, body: body(frame) });
  for (const wrong of [
    { ...answer, body: body({ ...frame, file: null }) },
    { ...answer, body: body({ ...frame, module_offset: "1" }) },
    { ...answer, body: body({ ...frame, name: "a" }) },
    { ...answer, body: body(frame), contentType: "text/html" },
    { ...answer, body: body(frame), path: "/symbolicate/v6" },
    { ...answer, body: body(frame), status: 201 },
  ])
    assert.throws(() => checkResponse(wrong));
});

/** JSON in which nearly all is right: what a body may have, and now and then something else in its place. */
const anything = fc.constantFrom<unknown>(
  null, true, "", "a", ".", "..", "a/b", "é", "x".repeat(255), "x".repeat(256), "AB", "g", "F".repeat(64), "F".repeat(65), 0, -1, -2, 1, 0.5, 1e19, 1e300,
  2 ** 53, 2 ** 64, [], {}, [[]], [0, 1], "0x10", "10000000000000000", "0xg",
); // prettier-ignore
const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: anything });
const some = (arbitrary: fc.Arbitrary<unknown>) => mostly(fc.array(mostly(arbitrary), { maxLength: 3 }));
const keys = (model: Record<string, fc.Arbitrary<unknown>>) =>
  mostly(fc.record(Object.fromEntries(Object.entries(model).map(([key, value]) => [key, mostly(value)])), { requiredKeys: Object.keys(model).slice(0, 2), noNullPrototype: true })); // prettier-ignore

const job = keys({
  memoryMap: some(
    fc.tuple(mostly(fc.constantFrom("a.so", "", "b c")), mostly(fc.constantFrom("AB", "", "0"))),
  ),
  stacks: fc.array(some(fc.tuple(mostly(fc.integer({ min: -1, max: 1 })), mostly(fc.nat()))), { minLength: 1, maxLength: 3 }), // prettier-ignore
});
const jobs = keys({ jobs: fc.oneof(some(job), fc.array(job, { minLength: 9, maxLength: 11 })), stacks: some(anything), memoryMap: some(anything) }); // prettier-ignore
const address = fc.oneof(fc.constantFrom<unknown>("0x1000", "ffffffffffffffff", 0), fc.nat());
const ping = keys({
  threads: some(keys({ frames: some(keys({ ip: address, module_index: fc.integer({ min: -1, max: 1 }), trust: fc.constant("cfi") })) })), // prettier-ignore
  modules: some(keys({ base_address: fc.constantFrom("0x0", 0), debug_file: fc.constant("a"), debug_id: fc.constant("A") })), // prettier-ignore
  crash_thread: fc.nat(2),
  stacks: fc.constant([[]]),
});

for (const [path, schema, bodies] of [
  ["/symbolicate/v5", V5Request, fc.oneof(job, jobs, anything)],
  ["/symbolicate/v4", V4Request, fc.oneof(job, jobs, anything)],
] as const)
  test(`${path} accepts and rejects the same requests as its schema`, async () => {
    const counts = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(bodies, async (value) => {
        const body = JSON.stringify(value);
        const isGood = schema.safeParse(parseJson(Buffer.from(body))).success;
        counts[isGood ? "taken" : "refused"]++;
        assert.equal((await service.post(path, body)).status, isGood ? 200 : 400, body);
      }),
      { numRuns: 1500 },
    );
    assert.ok(counts.taken > 100 && counts.refused > 100, JSON.stringify(counts));
  });

test("/symbolicate/bulk accepts each line that its schema accepts", async () => {
  const values = fc.sample(fc.oneof(ping, job, anything), 3000);
  const response = await service.post("/symbolicate/bulk", values.map((value) => `${JSON.stringify(value)}\n`).join("")); // prettier-ignore
  const lines = (await response.text()).split("\n");
  const counts = { taken: 0, refused: 0 };
  for (const [index, value] of values.entries()) {
    const isGood = BulkLine.safeParse(parseJson(Buffer.from(JSON.stringify(value)))).success;
    const { error } = JSON.parse(lines[index] ?? "") as { error?: { title: string } };
    counts[error ? "refused" : "taken"]++;
    if (isGood) assert.equal(error, undefined, JSON.stringify(value));
    // What a ping has and isn't needed may be anything.
    if (!isGood && !isPing(value)) assert.ok(error, JSON.stringify(value));
  }
  assert.ok(counts.taken > 100 && counts.refused > 100, JSON.stringify(counts));
});

function isPing(value: unknown): boolean {
  return typeof value === "object" && value !== null && "threads" in value;
}

test("parses integers past 2^53 exactly", () => {
  const body = (offset: string) =>
    parseJson(Buffer.from(`{"memoryMap":[["a","A"]],"stacks":[[[0,${offset}]]]}`));
  assert.ok(V5Request.safeParse(body("18446744073709551615")).success);
  for (const offset of ["18446744073709551616", "-2", "1e20"])
    assert.ok(!V5Request.safeParse(body(offset)).success, offset);
  assert.throws(() => body("NaN"), RequestError);
});
