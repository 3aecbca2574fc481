import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const id = "0123456789ABCDEF0123456789ABCDEF0";

/** A sym file whose symcache has 20 MB: it is answered from before it is flushed. */
function largeSymFile(): string {
  const records = [`MODULE Linux x86_64 ${id} large.so`, "FILE 0 a.c"];
  for (let number = 0; number < 1000; number++) {
    const start = number * 0x1000;
    records.push(`FUNC ${start.toString(16)} 1000 0 f${number}`);
    for (let line = 0; line < 1000; line++)
      records.push(`${(start + 4 * line).toString(16)} 4 ${line + 1} 0`);
  }
  return `${records.join("\n")}\n`;
}

test("uses a large symcache while it is being stored, with one download for all concurrent requests", async () => {
  await using cache = await temporaryFolder();
  await using server = await SymbolServer.start(reply("200 OK", largeSymFile()));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    ELIOT_SYMBOLS_CACHE_DIR: cache.path,
  });
  const ask = async () => {
    const response = await service.symbolicate({
      memoryMap: [["large.so", id]],
      stacks: [[[0, 0x7b_000 + 4 * 41]]],
    });
    const { function: name, line } = response.results[0]?.stacks[0]?.[0] ?? {};
    return `${String(name)}:${String(line)}`;
  };
  const files = async () =>
    (await readdir(cache.path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);

  assert.deepEqual(await Promise.all([ask(), ask()]), ["f123:42", "f123:42"]);
  assert.deepEqual(await Promise.all([ask(), ask()]), ["f123:42", "f123:42"]);
  while (!(await files()).includes(`${id}.symc`)) {
    assert.equal(await ask(), "f123:42");
    await setTimeout(10);
  }
  assert.deepEqual(await files(), [`${id}.symc`]);
  assert.equal(await ask(), "f123:42");
  assert.equal(server.hits.length, 1);
});

test("stores a large symcache that was used just before shutdown", async () => {
  await using cache = await temporaryFolder();
  await using server = await SymbolServer.start(reply("200 OK", largeSymFile()));
  {
    await using service = await startTestService({
      ELIOT_SYMBOLS_URLS: server.url,
      ELIOT_SYMBOLS_CACHE_DIR: cache.path,
    });
    await service.symbolicate({ memoryMap: [["large.so", id]], stacks: [[[0, 0]]] });
  }
  assert.deepEqual(await readdir(join(cache.path, "symcache-v1", "large.so")), [`${id}.symc`]);
  assert.deepEqual(await readdir(join(cache.path, "tmp")), []);
});
