import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { startTestService, temporaryFolder } from "../support/service.ts";

const id = "0123456789ABCDEF0123456789ABCDEF0";

function symFile(functionName: string): string {
  return `MODULE Linux x86_64 ${id} libtest.so\nFUNC 1000 10 0 ${functionName}\n`;
}

/** Stands for a pipe that nobody writes to. */
const pipe = Symbol("pipe");

/** What a service finds of a module in a folder that holds these files: the function, or why there is none. */
async function find(
  files: Record<string, string | Uint8Array | typeof pipe>,
  debugFilename = "libtest.so",
  debugId = id,
) {
  await using folder = await temporaryFolder();
  // A folder's name may need escapes in a URL.
  const symbols = join(folder.path, "sym files #1");
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(symbols, path)), { recursive: true });
    if (content === pipe) execFileSync("mkfifo", [join(symbols, path)]);
    else await writeFile(join(symbols, path), content);
  }
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: pathToFileURL(symbols).href });
  const { results, debug } = await service.symbolicate({
    memoryMap: [[debugFilename, debugId]],
    stacks: [[[0, 0x1008]]],
  });
  const status = debug.modules.status_per_module[`${debugFilename}/${debugId}`]?.status;
  return results[0]?.stacks[0]?.[0]?.["function"] ?? status;
}

const path = `libtest.so/${id}/libtest.so.sym`;

test("finds a plain or gzipped sym file, and prefers the plain one", async () => {
  assert.equal(await find({ [path]: symFile("plain") }), "plain");
  assert.equal(await find({ [`${path}.gz`]: gzipSync(symFile("zipped")) }), "zipped");
  const both = { [path]: symFile("plain"), [`${path}.gz`]: gzipSync(symFile("zipped")) };
  assert.equal(await find(both), "plain");
});

test("decompresses a sym file by its first bytes, whatever its name", async () => {
  const text = Buffer.from(symFile("main"));
  for (const name of [path, `${path}.gz`])
    for (const content of [
      text,
      gzipSync(text),
      gzipSync(gzipSync(text)),
      deflateSync(text),
      zstdCompressSync(text),
    ])
      assert.equal(await find({ [name]: content }), "main");
  for (const whole of [gzipSync(text), deflateSync(text), zstdCompressSync(text)])
    assert.equal(await find({ [path]: whole.subarray(0, -1) }), "download_failed");
});

test("looks for a debug id in upper case, whatever its case in the request", async () => {
  assert.equal(await find({ [path]: symFile("main") }, "libtest.so", id.toLowerCase()), "main");
});

for (const name of ["test.pdb", "TEST.PDB", "test.Pdb"])
  test(`derives the sym file's name from ${name}`, async () => {
    const windows = symFile("main").replace("libtest.so", name);
    assert.equal(await find({ [`${name}/${id}/${name.slice(0, 4)}.sym`]: windows }, name), "main");
    assert.equal(await find({ [`${name}/${id}/${name}.sym`]: windows }, name), "not_found");
  });

test("treats a name that is too long for a file as not found", async () => {
  assert.equal(await find({}, "a".repeat(255)), "not_found");
});

test("treats a folder in place of a sym file as missing, and looks for the gzipped one", async () => {
  assert.equal(await find({ [`${path}/inside`]: "", [`${path}.gz`]: gzipSync(symFile("zipped")) }), "zipped");
});

test("treats a pipe in place of a sym file as missing, and does not wait for a writer", async () => {
  assert.equal(await find({ [path]: pipe, [`${path}.gz`]: gzipSync(symFile("zipped")) }), "zipped");
});

test("treats a truncated gzip file as a failure, not as a shorter sym file", async () => {
  const cut = gzipSync(symFile("main")).subarray(0, -4);
  assert.equal(await find({ [`${path}.gz`]: cut }), "download_failed");
});
