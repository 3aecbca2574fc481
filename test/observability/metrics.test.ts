import assert from "node:assert/strict";
import { mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { quirkSymbols, sampleSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { startStatsdServer } from "../support/statsdServer.ts";

const statsd = await startStatsdServer();
const folder = await temporaryFolder();
const symbols = await temporaryFolder();
const service = await startTestService({
  ...statsd.env,
  ELIOT_HOSTNAME: "testhost",
  ELIOT_SYMBOLS_URLS: `${sampleSymbols},${quirkSymbols},file://${symbols.path}`,
  ELIOT_SYMBOLS_CACHE_DIR: folder.path,
  ELIOT_SYMBOLS_CACHE_MAX_SIZE: "3mb",
});
test.after(async () => {
  await service[Symbol.asyncDispose]();
  await statsd[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await symbols[Symbol.asyncDispose]();
});

const plain = { memoryMap: [["plain.so", "000000000000000000000000000000010"]], stacks: [[[0, 4096]]] };
const ofV5 = [
  "eliot.pageview:#|c|#host:testhost,method:post,path:/symbolicate/v5",
  "eliot.symbolicate.api:#|ms|#host:testhost,version:v5",
];
const ofAcceptedV5 = [
  ...ofV5,
  "eliot.symbolicate.frames_count:#|h|#host:testhost",
  "eliot.symbolicate.jobs_count:#|h|#host:testhost,version:v5",
  "eliot.symbolicate.stacks_count:#|h|#host:testhost,version:v5",
];

/** What a request brings to statsd: it is counted as a page view last. */
async function metricsOf(path: string, body?: string): Promise<string[]> {
  statsd.clear();
  if (body === undefined) await fetch(service.url + path);
  else await service.post(path, body);
  return statsd.received(/pageview/);
}

test("counts a conversion", async () => {
  assert.deepEqual(
    await metricsOf("/symbolicate/v5", JSON.stringify(plain)),
    [
      ...ofAcceptedV5,
      "eliot.diskcache.get:#|h|#host:testhost,result:miss",
      "eliot.diskcache.set:#|h|#host:testhost,result:success",
      "eliot.diskcache.usage:#|g|#host:testhost",
      "eliot.downloader.download:#|h|#host:testhost,response:fail",
      "eliot.downloader.download:#|h|#host:testhost,response:success",
      "eliot.downloader.queue:#|g|#host:testhost",
      "eliot.symbolicate.parse_sym_file.parse:#|ms|#host:testhost",
    ].toSorted(),
  );
});

test("counts a hit", async () => {
  assert.deepEqual(
    await metricsOf("/symbolicate/v5", JSON.stringify(plain)),
    [...ofAcceptedV5, "eliot.diskcache.get:#|h|#host:testhost,result:hit"].toSorted(),
  );
});

test("counts a damaged symcache", async () => {
  await truncate(join(folder.path, "symcache-v1/plain.so/000000000000000000000000000000010.symc"), 100);
  const metrics = await metricsOf("/symbolicate/v5", JSON.stringify(plain));
  assert.ok(metrics.includes("eliot.diskcache.get:#|h|#host:testhost,result:error"));
});

test("counts an eviction", async () => {
  const large = {
    memoryMap: [
      ["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"],
      ["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"],
    ],
    stacks: [
      [
        [0, 1],
        [1, 1],
      ],
    ],
  };
  const metrics = await metricsOf("/symbolicate/v5", JSON.stringify(large));
  assert.ok(metrics.includes("eliot.diskcache.evict:#|c|#host:testhost"));
});

for (const [name, reason] of [
  ["malformed-func.so", "sym_malformed"],
  ["html.so", "sym_malformed"],
  ["other-id.so", "sym_debug_id_lookup_error"],
] as const) {
  test(`counts a sym file such as ${name} under ${reason}`, async () => {
    const metrics = await metricsOf(
      "/symbolicate/v5",
      JSON.stringify({ ...plain, memoryMap: [[name, await idOf(name)]] }),
    );
    assert.ok(metrics.includes(`eliot.symbolicate.parse_sym_file.error:#|c|#host:testhost,reason:${reason}`));
  });
}

test("counts an invalid debug id under bad_debug_id", async () => {
  const folderOf = `${symbols.path}/short.so/AB`;
  await mkdir(folderOf, { recursive: true });
  await writeFile(`${folderOf}/short.so.sym`, "MODULE Linux x86_64 AB short.so\n");
  const metrics = await metricsOf(
    "/symbolicate/v5",
    JSON.stringify({ ...plain, memoryMap: [["short.so", "AB"]] }),
  );
  assert.ok(
    metrics.includes("eliot.symbolicate.parse_sym_file.error:#|c|#host:testhost,reason:bad_debug_id"),
  );
});

for (const [reason, body] of [
  ["bad_json", "{"],
  ["invalid_modules", JSON.stringify({ ...plain, memoryMap: [[5, ""]] })],
  ["invalid_stacks", JSON.stringify({ ...plain, stacks: [[[9, 9]]] })],
  ["too_many_jobs", JSON.stringify({ jobs: Array.from({ length: 11 }, () => plain) })],
] as const) {
  test(`counts a bad request under ${reason}`, async () => {
    assert.deepEqual(
      await metricsOf("/symbolicate/v5", body),
      [...ofV5, `eliot.symbolicate.request_error:#|c|#host:testhost,reason:${reason}`].toSorted(),
    );
  });
}

test("does not count a body that its client aborts as a bad request", async () => {
  statsd.clear();
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.end(`POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{`);
  assert.deepEqual(await statsd.received(/symbolicate\.api/), [
    "eliot.symbolicate.api:#|ms|#host:testhost,version:v5",
  ]);
});

test("measures the duration of a response that its client does not read", async () => {
  statsd.clear();
  const stacks = [Array.from({ length: 100_000 }, () => [0, 4096])];
  const body = JSON.stringify({ ...plain, stacks });
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1").pause();
  socket.write(`POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const metrics = await statsd.received(/symbolicate\.api/);
  assert.ok(!metrics.some((metric) => metric.includes("pageview")));
  socket.destroy();
});

for (const path of ["/", "/__version__", "/__heartbeat__", "/__lbheartbeat__", "/__broken__"]) {
  test(`counts a view of ${path}`, async () => {
    assert.deepEqual(await metricsOf(path), [`eliot.pageview:#|c|#host:testhost,method:get,path:${path}`]);
  });
}

test("counts v4 and v5 separately", async () => {
  const metrics = await metricsOf("/symbolicate/v4", JSON.stringify(plain));
  assert.ok(metrics.includes("eliot.symbolicate.api:#|ms|#host:testhost,version:v4"));
  assert.ok(metrics.includes("eliot.symbolicate.stacks_count:#|h|#host:testhost,version:v4"));
  assert.ok(metrics.includes("eliot.pageview:#|c|#host:testhost,method:post,path:/symbolicate/v4"));
});

test("counts a symcache that can't be written", async () => {
  await rm(folder.path, { recursive: true });
  await writeFile(folder.path, "a file");
  const metrics = await metricsOf("/symbolicate/v5", JSON.stringify(plain));
  assert.ok(metrics.includes("eliot.diskcache.set:#|h|#host:testhost,result:fail"));
});

/** The id of a quirk's folder. */
async function idOf(name: string): Promise<string> {
  const [id] = await readdir(new URL(`../fixtures/conformance/quirks/symbols/${name}`, import.meta.url));
  return id ?? "";
}
