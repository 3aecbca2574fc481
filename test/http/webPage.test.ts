import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSymbols, startTestService } from "../support/service.ts";

const job = { memoryMap: [["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"]], stacks: [[[0, 0x6322a]]] };

test("reports the size and the hits of the cache at /cache", async () => {
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: sampleSymbols,
    ELIOT_SYMBOLS_CACHE_MAX_SIZE: "50mb",
  });
  const report = async () => (await fetch(`${service.url}/cache`)).json() as Promise<Record<string, number>>;
  assert.deepEqual(await report(), { symcaches: 0, bytes: 0, max_bytes: 50e6, hits: 0, misses: 0 });
  for (let round = 0; round < 3; round++) await service.symbolicate(job);
  await service.symbolicate({ memoryMap: [["nosuch.so", "AB"]], stacks: [[[0, 1]]] });
  const { bytes = 0, ...counts } = await report();
  assert.deepEqual(counts, { symcaches: 1, max_bytes: 50e6, hits: 2, misses: 2 });
  assert.ok(bytes > 100_000 && bytes < 50e6, `${bytes} bytes`);
});

test("allows only GET for /cache", async () => {
  await using service = await startTestService();
  const response = await service.post("/cache", "");
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, OPTIONS"]);
});

for (const path of ["/", "/static/page.js", "/static/page.css", "/static/captures/readCapture.js"])
  test(`sends ${path} with an ETag, and 304 to a request that has it`, async () => {
    await using service = await startTestService();
    const first = await fetch(service.url + path);
    assert.equal(first.status, 200);
    assert.equal(first.headers.get("cache-control"), "public, max-age=0");
    const etag = first.headers.get("etag") ?? "";
    assert.notEqual(etag, "");
    assert.ok((await first.text()).length > 100);
    // Without it fetch adds `no-cache`.
    const headers = { "If-None-Match": etag, "Cache-Control": "max-age=0" };
    const again = await fetch(service.url + path, { headers });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
  });

for (const path of [
  "/static/",
  "/static",
  "/static/../index.html",
  "/static/%2e%2e/index.html",
  "/index.html",
])
  test(`responds with 404 to ${path}`, async () => {
    await using service = await startTestService();
    const response = await fetch(service.url + path);
    assert.deepEqual([response.status, await response.json()], [404, { title: "404 Not Found" }]);
  });
