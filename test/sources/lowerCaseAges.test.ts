import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { run } from "../support/commandLine.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const cases = new URL("../fixtures/cases", import.meta.url).href;
const guid = "1410FAF03AD925211450AE25E0CB9AE5";

/** A server that has only the sym file at `path`, for a module with that id. */
async function serverWith(path: string): Promise<SymbolServer> {
  const [, id = ""] = path.slice(1).split("/");
  const symFile = `MODULE windows x86_64 ${id} a.pdb\nFUNC 1000 10 0 main\n`;
  return await SymbolServer.start((socket, asked) =>
    (asked === path ? reply("200 OK", symFile) : reply("404 Not Found"))(socket, asked),
  );
}

async function find(sources: string, debugId: string, { name = "a.pdb", times = 1 } = {}) {
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: sources });
  const job = { memoryMap: [[name, debugId]], stacks: [[[0, 0x1008]]] };
  let response = await service.symbolicate(job);
  for (let time = 1; time < times; time++) response = await service.symbolicate(job);
  const { results, debug } = response;
  const status = debug.modules.status_per_module[`${name}/${debugId}`]?.status;
  return results[0]?.stacks[0]?.[0]?.["function"] ?? status;
}

for (const debugId of [`${guid}a`, `${guid}A`, `${guid}a`.toLowerCase()])
  test(`finds a sym file with a lower-case age on a server and in a folder, requested as ${debugId}`, async () => {
    assert.equal(await find(cases, debugId, { name: "driver.pdb" }), "DriverEntry");
    await using server = await serverWith(`/a.pdb/${guid}a/a.sym`);
    assert.equal(await find(server.url, debugId), "main");
    assert.deepEqual(server.hits, [`/a.pdb/${guid}A/a.sym`, `/a.pdb/${guid}a/a.sym`]);
  });

test("finds a gzipped sym file with a lower-case age in a folder", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, `a.pdb/${guid}1f/a.sym.gz`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, gzipSync(`MODULE windows x86_64 ${guid}1f a.pdb\nFUNC 1000 10 0 main\n`));
  assert.equal(await find(pathToFileURL(folder.path).href, `${guid}1F`), "main");
});

test("prefers the upper-case age, and then tries nothing else", async () => {
  await using server = await serverWith(`/a.pdb/${guid}A/a.sym`);
  assert.equal(await find(server.url, `${guid}a`), "main");
  assert.deepEqual(server.hits, [`/a.pdb/${guid}A/a.sym`]);
});

test("asks each source at most twice, and remembers both cases together", async () => {
  await using one = await SymbolServer.start(reply("404 Not Found"));
  await using other = await SymbolServer.start(reply("403 Forbidden"));
  assert.equal(await find(`${one.url},${other.url}`, `${guid}1aB`, { times: 3 }), "not_found");
  const paths = [`/a.pdb/${guid}1AB/a.sym`, `/a.pdb/${guid}1ab/a.sym`];
  assert.deepEqual([one.hits, other.hits], [paths, paths]);
});

for (const debugId of [`${guid}0`, `${guid}12`, guid, guid.slice(0, 20), guid.slice(0, 20).toLowerCase()])
  test(`asks once for ${debugId}, whose age has no letters`, async () => {
    await using server = await SymbolServer.start(reply("404 Not Found"));
    assert.equal(await find(server.url, debugId), "not_found");
    assert.deepEqual(server.hits, [`/a.pdb/${debugId.toUpperCase()}/a.sym`]);
  });

test("does not try the lower-case age if the source failed", async () => {
  await using server = await SymbolServer.start(reply("501 Not Implemented"));
  assert.equal(await find(server.url, `${guid}a`), "download_failed");
  assert.equal(server.hits.length, 1);
});

test("`tseliot fetch` finds a sym file with a lower-case age", async () => {
  await using server = await serverWith(`/a.pdb/${guid}a/a.sym`);
  for (const symbols of [server.url, cases]) {
    const name = symbols === cases ? "driver.pdb" : "a.pdb";
    const { code, stdout } = await run(["fetch", name, `${guid}A`, "-s", symbols, "-o", "-"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^MODULE windows x86_64 ${guid}a `));
  }
});
