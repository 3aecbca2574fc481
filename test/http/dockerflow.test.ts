import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

test("answers /__version__ with version.json as it was written", async () => {
  await using folder = await temporaryFolder();
  const versionFile = join(folder.path, "version.json");
  const written = `{"source": "https://github.com/x/y",  "version": "1.2", "commit": "ou812", "build": "x"}\n`;
  await writeFile(versionFile, written);
  await using service = await startTestService({}, { versionFile });
  const response = await fetch(`${service.url}/__version__`);
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(await response.text(), written);
});

test("answers /__version__ with {} where there is no version.json", async () => {
  await using service = await startTestService({}, { versionFile: "/nonexistent/version.json" });
  assert.equal(await (await fetch(`${service.url}/__version__`)).text(), "{}");
});

test("answers /__heartbeat__ with the results of its checks", async () => {
  await using service = await startTestService();
  const response = await fetch(`${service.url}/__heartbeat__`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    status: "ok",
    checks: {
      cache_folder: "ok",
      disk_space: "ok",
      lookup_threads: "ok",
      converter_threads: "ok",
      sources: "ok",
      shared_cache: "ok",
      queues: "ok",
      clients: "ok",
    },
    details: {},
  });
});

test("reports each symbol server that is down as a warning, with 200", async () => {
  await using one = await SymbolServer.start(reply("500 Internal Server Error"));
  await using other = await SymbolServer.start(reply("502 Bad Gateway"));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: `${one.url},${other.url}`,
    "sources.downloadAttempts": "1",
  });
  await service.symbolicate({ memoryMap: [["a.so", "AB"]], stacks: [[[0, 1]]] });
  const response = await fetch(`${service.url}/__heartbeat__`);
  const health = (await response.json()) as { status: string; details: Record<string, unknown> };
  assert.deepEqual([response.status, health.status], [200, "warning"]);
  const faults = [
    `${one.url}: ${new URL(one.url).host} responded with 500`,
    `${other.url}: ${new URL(other.url).host} responded with 502`,
  ];
  assert.deepEqual(health.details, { sources: { status: "warning", messages: [faults.join("; ")] } });
});

for (const path of ["/__version__", "/__heartbeat__", "/__lbheartbeat__", "/"]) {
  test(`answers HEAD ${path} without a body`, async () => {
    await using service = await startTestService();
    const response = await fetch(service.url + path, { method: "HEAD" });
    assert.deepEqual([response.status, await response.text()], [200, ""]);
  });
}

for (const path of ["/__broken__", "/__error__"]) {
  test(`fails deliberately at ${path}`, async () => {
    await using service = await startTestService();
    const response = await fetch(service.url + path);
    assert.deepEqual([response.status, await response.json()], [500, { title: "500 Internal Server Error" }]);
    assert.equal(service.log.filter(({ Severity }) => Severity === 3).length, 1);
  });
}

test("shows a page at /", async () => {
  await using service = await startTestService();
  const response = await fetch(`${service.url}/`);
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  const page = await response.text();
  assert.match(page, /Mozilla Symbolication Server/);
  for (const [, path = ""] of page.matchAll(/(?:src|href)="(\/static[^"]+)"/g))
    assert.equal((await fetch(service.url + path)).status, 200, path);
});
