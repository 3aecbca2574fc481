import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { startTestService } from "../support/service.ts";

const service = await startTestService({ ELIOT_MAX_BODY_SIZE: "1mb", "server.maxResponseBytes": "2000000" });
test.after(() => service[Symbol.asyncDispose]());

const job = { memoryMap: [["plain.so", "000000000000000000000000000000010"]], stacks: [[[0, 4096]]] };
const body = Buffer.from(JSON.stringify(job));
const notJson = { title: "Payload is not valid JSON" };

async function answer(bytes: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>) {
  const response = await service.post("/symbolicate/v5", bytes, headers);
  return { status: response.status, json: await response.json() };
}

const plain = await answer(body);

test("finds the function in the unmodified request", () => {
  assert.equal(plain.status, 200);
  assert.match(JSON.stringify(plain.json), /"function":/);
});

for (const [encoding, compress] of [
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
] as const) {
  test(`accepts a body in ${encoding}`, async () => {
    assert.deepEqual(await answer(compress(body), { "content-encoding": encoding }), plain);
  });

  test(`answers 400 to a body in ${encoding} that is cut short`, async () => {
    const cut = compress(body).subarray(0, -5);
    assert.deepEqual(await answer(cut, { "content-encoding": encoding }), { status: 400, json: notJson });
  });

  test(`answers 413 to a decompression bomb in ${encoding}`, async () => {
    const bomb = compress(Buffer.alloc(50e6, " "));
    assert.deepEqual(await answer(bomb, { "content-encoding": encoding }), {
      status: 413,
      json: { title: "413 Payload Too Large" },
    });
  });
}

for (const encoding of ["compress", "constructor", "gzip, gzip"]) {
  test(`answers 415 to the content encoding ${encoding}`, async () => {
    assert.equal((await answer(body, { "content-encoding": encoding })).status, 415);
  });
}

test("accepts a body of exactly the limit, and not a byte more", async () => {
  const limit = 1_000_000;
  assert.deepEqual(await answer(body.toString().padEnd(limit)), plain);
  assert.equal((await answer(body.toString().padEnd(limit + 1))).status, 413);
});

test("answers a large body like a small one", async () => {
  assert.deepEqual(await answer(body.toString().padEnd(300_000)), plain);
  assert.deepEqual(await answer("{".padEnd(300_000)), { status: 400, json: notJson });
});

test("skips a byte order mark", async () => {
  assert.deepEqual(await answer(Buffer.concat([Buffer.from("\uFEFF"), body])), plain);
});

test("treats any charset as UTF-8", async () => {
  assert.deepEqual(await answer(body, { "content-type": "application/json; charset=latin1" }), plain);
});

test("answers 400 to bytes that are not UTF-8", async () => {
  assert.deepEqual(await answer(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), {
    status: 400,
    json: notJson,
  });
});

for (const [levels, status] of [
  [500, 200],
  [501, 400],
  [400_000, 400],
] as const) {
  test(`answers ${status} to a body nested ${levels} levels deep in an ignored key`, async () => {
    const lists = levels - 1;
    const nested = `${body.toString().slice(0, -1)},"ignored":${"[".repeat(lists)}${"]".repeat(lists)}}`;
    assert.equal((await answer(nested)).status, status);
  });
}

for (const padding of [0, 300_000]) {
  test(`echoes offsets past 2^53 exactly in a body of more than ${padding} bytes`, async () => {
    const offsets = ["9007199254740993", "18446744073709551615", "1e19", "4294967296", "0", "-1"];
    const frames = offsets.map((offset) => `[0,${offset}]`).join();
    const text = `{"memoryMap":[["plain.so","000000000000000000000000000000010"]],"stacks":[[${frames}]]${" ".repeat(padding)}}`;
    const { json } = await answer(text);
    const { results } = json as { results: [{ stacks: [{ module_offset: string }[]] }] };
    assert.deepEqual(
      results[0].stacks[0].map((frame) => frame.module_offset),
      ["0x20000000000001", "0xffffffffffffffff", "0x8ac7230489e80000", "0x100000000", "0x0", "-0x1"],
    );
  });
}

test("answers requests with more stacks and modules than fit into one slice", async () => {
  const stacks = Array.from({ length: 40_000 }, () => []);
  const names = Array.from({ length: 5_000 }, (_, index) => `module${index}`);
  const memoryMap = [...names, ...names].map((name) => [name, "A"]);
  const { json } = await answer(JSON.stringify({ memoryMap, stacks }));
  const found_modules = Object.fromEntries(names.map((name) => [`${name}/A`, null]));
  assert.deepEqual(json, { results: [{ stacks, found_modules }] });
});

test("rejects offsets of 2^64 and more", async () => {
  const { status, json } = await answer(`{"memoryMap":[["a","A"]],"stacks":[[[0,18446744073709551616]]]}`);
  assert.equal(status, 400);
  assert.deepEqual(json, { title: "job 0 has invalid stacks: stack 0 frame 0 has an invalid module_offset" });
});

test("answers 413 if the response would be too large", async () => {
  const many = JSON.stringify({ ...job, stacks: [Array.from({ length: 40_000 }, () => [0, 4096])] });
  assert.deepEqual(await answer(many), {
    status: 413,
    json: { title: "the answer would be too large: ask for fewer frames" },
  });
});
