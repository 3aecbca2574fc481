/** Bad, hostile and slow requests: `FAULTS.md`'s fourth section. The recorded errors are in `../badRequests.test.ts`. */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { after, before, test } from "node:test";
import { buffer } from "node:stream/consumers";
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { randomRequest } from "../support/randomRequest.ts";
import { postHead, rawClient } from "../support/rawClient.ts";
import { isWhole, Random, times } from "../support/scale.ts";
import { withoutRetries, jobOf, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const healthy = syntheticModule("healthy.so");
const names = [
  "__proto__", "constructor", "toString", "hasOwnProperty", "...", "..a", "a..", "~", "-", "--help", "[vdso]", "[]", "{}", "@", "+", "<x>", "a b",
  " ", " a", "a ", "a.so", "A.so", "a.so.", "a.SO", "a.pdb", "a.pdb.pdb", "a.sym", "a.symc", "tmp", "symcache-v1", "con", "nul", "x".repeat(250),
]; // prettier-ignore
const modules = [healthy, ...names.map((name) => syntheticModule(name))];
const limit = 1_000_000;

let harness: Harness;
before(async () => {
  harness = await startHarness(modules, {
    ...withoutRetries,
    ELIOT_MAX_BODY_SIZE: String(limit),
    "server.requestTimeoutMs": "2000",
    "server.responseTimeoutMs": "2000",
    "server.maxConnections": "100",
  });
  await harness.ask(healthy);
});
after(() => harness[Symbol.asyncDispose]());

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body, headers });
const isHealthy = async () => assert.deepEqual(await harness.ask(healthy), ["right, cached"]);

test("returns each unusual module name's own symbols, also after a restart", async () => {
  const strange = modules.slice(1);
  assert.deepEqual(new Set(await harness.ask(...strange)), new Set(["right, converted"]));
  assert.deepEqual(new Set(await harness.ask(...strange)), new Set(["right, cached"]));
  assert.deepEqual(await harness.kept(), modules.map(({ name }) => name).toSorted());
  await harness.restart();
  assert.deepEqual(new Set(await harness.ask(...strange.toReversed())), new Set(["right, cached"]));
});

for (const [name, id] of [
  ["..", "AB"],
  [".", "AB"],
  ["a/b", "AB"],
  ["a\\b", "AB"],
  ["a\n", "AB"],
  ["a\0", "AB"],
  ["x".repeat(256), "AB"],
  ["a", ".."],
  ["a", "A\n"],
  ["a", "F".repeat(65)],
] as const)
  test(`never asks a source for the module ${JSON.stringify([name, id]).slice(0, 60)}`, async () => {
    const hits = harness.server.hits.length;
    assert.equal((await post(JSON.stringify({ memoryMap: [[name, id]], stacks: [[[0, 1]]] }))).status, 200);
    assert.equal(harness.server.hits.length, hits);
    assert.deepEqual(
      (await harness.kept()).filter((file) => file.includes("/")),
      [],
    );
  });

const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
for (const [encoding, encode] of Object.entries(encoders))
  test(`accepts a ${encoding} body up to the limit, and rejects a decompression bomb`, async () => {
    const body = JSON.stringify(jobOf([healthy]));
    const headers = { "content-encoding": encoding };
    assert.equal((await post(new Uint8Array(encode(body.padEnd(limit))), headers)).status, 200);
    assert.equal((await post(new Uint8Array(encode(body.padEnd(limit + 1))), headers)).status, 413);
    assert.equal((await post(new Uint8Array(encode(Buffer.alloc(100e6, " "))), headers)).status, 413);
    await isHealthy();
  });

test("answers other clients while some send their bodies slowly, and those with 408 in the end", async () => {
  const body = JSON.stringify(jobOf([healthy]));
  const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(harness.service.url)));
  const timers = clients.map(({ send }) => {
    send(postHead(body.length));
    return setInterval(() => send(" "), 50);
  });
  for (let time = 0; time < 10; time++) await isHealthy();
  for (const { status } of await Promise.all(clients.map(({ response }) => response())))
    assert.equal(status, 408);
  timers.forEach((timer) => clearInterval(timer));
  await Promise.all(clients.map(({ closed }) => closed));
  await isHealthy();
});

test("releases all resources if clients disconnect at any moment of a request or response", async () => {
  const body = JSON.stringify(jobOf([healthy]));
  const request = postHead(body.length) + body;
  const random = new Random(5);
  const handles = () => readdirSync(`/proc/${harness.service.pid}/fd`).length;
  await isHealthy();
  const handlesBefore = handles();
  for (let time = 0; time < times(100, 2_000); time++) {
    using client = await rawClient(harness.service.url);
    client.send(request.slice(0, random.below(request.length + 1)));
    if (random.below(2) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(4)));
    if (random.below(2) === 0) client.socket.resetAndDestroy();
  }
  await waitUntil(() => handles() <= handlesBefore + 2);
  await isHealthy();
});

test("closes the page's files if clients disconnect", async () => {
  const { pid } = harness.service;
  const files = () => readdirSync(`/proc/${pid}/fd`).filter((fd) => isOfPage(`/proc/${pid}/fd/${fd}`)).length;
  const request = "GET /static/page.css HTTP/1.1\r\nHost: x\r\n\r\n";
  for (let time = 0; time < 60; time++) {
    using client = await rawClient(harness.service.url);
    client.send(request.repeat(20));
    await new Promise((resolve) => setTimeout(resolve, time % 8));
    client.socket.resetAndDestroy();
  }
  await isHealthy();
  await waitUntil(() => files() === 0);
});

test(
  "rejects a body that takes too long to parse, and parses the next ones",
  { skip: !isWhole && "takes 20 s" },
  async () => {
    await using other = await startHarness([healthy], {
      ...withoutRetries,
      NODE_OPTIONS: "--max-old-space-size=100",
    });
    await other.ask(healthy);
    const statusOf = async (body: string) =>
      (await fetch(`${other.service.url}/symbolicate/v5`, { method: "POST", body })).status;
    const objects = `{"memoryMap":[],"stacks":[[]],"":[${"{},".repeat(6_500_000)}1234567890123456789]}`;
    const large = JSON.stringify(jobOf([healthy])).padEnd(300_000);
    assert.deepEqual(await Promise.all([objects, large, large].map(statusOf)), [413, 200, 200]);
    assert.deepEqual(await other.ask(healthy), ["right, cached"]);
  },
);

for (const encoding of ["identity", "gzip"])
  test(`rejects a ${encoding} body of very many one-byte chunks, and accepts a few`, async () => {
    const job = JSON.stringify(jobOf([healthy]));
    const statusOf = async (text: string) => {
      const body = encoding === "gzip" ? gzipSync(text, { level: 0 }) : Buffer.from(text);
      using client = await rawClient(harness.service.url);
      const chunks = Array.from(body, (byte) => Buffer.from([0x31, 13, 10, byte, 13, 10]));
      client.send("POST /symbolicate/v5 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n");
      client.send(`Content-Encoding: ${encoding}\r\n\r\n`);
      client.send(Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]));
      const { status, body: answer } = await client.response();
      return status === 200 ? status : answer;
    };
    assert.equal(await statusOf(job), 200);
    assert.equal(
      await statusOf(job.padEnd(100_000)),
      '{"title":"the body is split into too many small chunks"}',
    );
    await isHealthy();
  });

test("rejects a zstd body with a window of 128 MB", async () => {
  const params = { [constants.ZSTD_c_windowLog]: 27 };
  const encoder = createZstdCompress({ params });
  encoder.write(JSON.stringify(jobOf([healthy])));
  encoder.end();
  const body = new Uint8Array(await buffer(encoder));
  assert.equal((await post(body, { "content-encoding": "zstd" })).status, 400);
});

test("disconnects a client that never reads its response", async () => {
  const frames = Array.from({ length: 60_000 }, () => [0, healthy.frames[0]!.offset]);
  const body = JSON.stringify({ memoryMap: [[healthy.name, healthy.id]], stacks: [frames] });
  using client = await rawClient(harness.service.url);
  client.send(postHead(body.length) + body);
  await harness.service.logged('"left":true');
  await isHealthy();
});

test("closes connections over the limit at once, and accepts others later", async () => {
  const clients: Awaited<ReturnType<typeof rawClient>>[] = [];
  while (clients.length < 150) clients.push(await rawClient(harness.service.url));
  const surplus = clients.slice(-20);
  surplus.forEach(({ socket }) => socket.resume());
  await Promise.all(surplus.map(({ closed }) => closed));
  for (const client of clients) client[Symbol.dispose]();
  let isTaken = false;
  while (!isTaken) isTaken = await isHealthy().then(() => true, () => false); // prettier-ignore
});

test("answers generated requests with 200 or 4xx, never with 5xx", async (t) => {
  const random = new Random(6);
  let left = times(1_000, 100_000);
  const statuses = new Map<number, number>();
  const wellFormed: SyntheticModule[] = modules;
  const client = async () => {
    while (left-- > 0) {
      const { body, headers, path } = randomRequest(random, wellFormed);
      const response = await fetch(harness.service.url + path, { method: "POST", body, headers });
      const answer = (await response.json()) as { title?: string };
      assert.ok(
        [200, 400, 413, 415].includes(response.status),
        `${response.status} to ${String(body).slice(0, 500)}`,
      );
      if (response.status !== 200) assert.equal(typeof answer.title, "string");
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  await isHealthy();
  const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  t.diagnostic(`generated requests: ${counts.join(", ")}`);
});

/** Whether an open file of the service is one of the page's. It may be closed by now. */
function isOfPage(handle: string): boolean {
  try {
    return readlinkSync(handle).includes("/web/");
  } catch {
    return false;
  }
}
