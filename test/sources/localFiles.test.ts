import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { run } from "../support/commandLine.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const zips = await readdir(join(fixtures, "zips"));
const driver = ["driver.pdb", "1410FAF03AD925211450AE25E0CB9AE5A"] as const;
const foo = ["FOO.PDB", "000000000000000000000000000018001"] as const;
const absent = ["absent.pdb", "000000000000000000000000000018002"] as const;
const driverSym = join(fixtures, "cases/driver.pdb/1410FAF03AD925211450AE25E0CB9AE5a/driver.sym");
const modules = [driver, foo, absent];
const request = { memoryMap: modules, stacks: [modules.map((_, index) => [index, 0x1010])] };

/** What `tseliot symbolicate` finds at 0x1010 of the three modules, and its list of modules. */
async function symbolicate(symbols: string, cache: string) {
  const { code, stdout, stderr } = await run(
    ["symbolicate", "--symbols", symbols, "--json", "--cache", cache],
    { input: JSON.stringify(request) },
  );
  assert.equal(code, 0, stderr);
  const { results } = JSON.parse(stdout) as { results: { stacks: { function?: string }[][] }[] };
  return { functions: results[0]?.stacks[0]?.map((frame) => frame.function), stderr };
}

const all = ["DriverEntry", "FooInit", undefined];

for (const zip of zips)
  test(`symbolicates with the sym files of ${zip}`, async () => {
    await using folder = await temporaryFolder();
    const { functions, stderr } = await symbolicate(join(fixtures, "zips", zip), folder.path);
    assert.deepEqual(functions, all);
    assert.match(stderr, /missing: absent\.pdb \(no source has a sym file\)\n$/);
  });

for (const [name, encode] of [
  ["driver.sym", (text) => text],
  ["renamed.SYM", (text) => text],
  ["driver.sym.gz", (text) => gzipSync(text)],
  ["zstd.sym", (text) => zstdCompressSync(text)],
] as [string, (text: Buffer) => Buffer][])
  test(`symbolicates with a single sym file, ${name}, as one of two sources`, async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, name);
    await writeFile(path, encode(await readFile(driverSym)));
    const alone = await symbolicate(path, join(folder.path, "cache1"));
    assert.deepEqual(alone.functions, ["DriverEntry", undefined, undefined]);
    assert.match(alone.stderr, /missing: FOO\.PDB \(no source has a sym file\), absent\.pdb \(no source/);
    const both = await symbolicate(`${path},${join(fixtures, "cases")}`, join(folder.path, "cache2"));
    assert.deepEqual(both.functions, all);
  });

test("reads a folder that is named like a sym file or a zip file", async () => {
  await using folder = await temporaryFolder();
  for (const name of ["symbols.zip", "symbols.sym"]) {
    const path = join(folder.path, name, "driver.pdb", driver[1]);
    await mkdir(path, { recursive: true });
    await copyFile(driverSym, join(path, "driver.sym"));
    const { functions } = await symbolicate(join(folder.path, name), join(folder.path, `${name}-cache`));
    assert.deepEqual(functions, ["DriverEntry", undefined, undefined]);
  }
});

test("`tseliot fetch` takes a sym file from a zip file", async () => {
  const zip = join(fixtures, "zips/deflated.zip");
  const { code, stdout } = await run(["fetch", ...driver, "--symbols", zip, "--output", "-"]);
  assert.deepEqual([code, stdout], [0, await readFile(driverSym, "utf8")]);
  assert.equal((await run(["fetch", ...absent, "--symbols", zip, "--output", "-"])).code, 1);
});

test("fails with a reason where a zip file or a sym file is damaged, and asks the next source", async () => {
  await using folder = await temporaryFolder();
  const deflated = await readFile(join(fixtures, "zips/deflated.zip"));
  const zip64 = await readFile(join(fixtures, "zips/zip64.zip"));
  const stored = await readFile(join(fixtures, "zips/stored.zip"));
  const text = stored.indexOf("DriverEntry");
  const changed = Buffer.from(stored);
  changed.write("X", text);
  const encrypted = Buffer.from(deflated);
  for (let at = 0; (at = encrypted.indexOf("PK\u0001\u0002", at)) >= 0; at++)
    if (encrypted.readUInt32LE(at + 20) > 0) encrypted[at + 8]! |= 1;
  const files: Record<string, [Buffer, RegExp]> = {
    "empty.zip": [Buffer.alloc(0), /bad zip file: .*not a zip file/i],
    "text.zip": [Buffer.from("MODULE Linux"), /bad zip file: .*not a zip file/i],
    "cut.zip": [deflated.subarray(0, -40), /bad zip file: .*not a zip file/i],
    "without-start.zip": [deflated.subarray(100), /bad zip file: /],
    "zip64-without-start.zip": [zip64.subarray(100), /bad zip file: /],
    "changed.zip": [changed, /bad zip file: /],
    "encrypted.zip": [encrypted, /is encrypted/],
    "text.sym": [Buffer.from("<!doctype html>"), /does not start with a MODULE record/],
    "empty.sym": [Buffer.alloc(0), /does not start with a MODULE record/],
    "cut.sym.gz": [gzipSync(await readFile(driverSym)).subarray(0, -1), /bad gzip: unexpected end of file/],
  };
  for (const [name, [content, reason]] of Object.entries(files)) {
    const path = join(folder.path, name);
    await writeFile(path, content);
    const alone = await run(["fetch", ...driver, "--symbols", path, "-o", join(folder.path, "out")]);
    assert.equal(alone.code, 3, name);
    assert.match(alone.stderr, reason, name);
  }
  const sources = [...Object.keys(files).map((name) => join(folder.path, name)), join(fixtures, "cases")];
  const { code, stdout } = await run(["fetch", ...driver, "--symbols", sources.join(), "-o", "-"]);
  assert.deepEqual([code, stdout], [0, await readFile(driverSym, "utf8")]);
});

test("the service notices that a zip file was replaced or was not there", async () => {
  await using folder = await temporaryFolder();
  const zip = join(folder.path, "symbols.zip");
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: pathToFileURL(zip).href,
    "sources.downloadFailedTtlMs": "0",
    "sources.notFoundTtlMs": "0",
  });
  const statuses = async () => {
    const { debug } = await service.symbolicate(request);
    return modules.map(([name, id]) => debug.modules.status_per_module[`${name}/${id}`]?.status);
  };
  const failed = "download_failed";
  assert.deepEqual(await statuses(), [failed, failed, failed]);
  await writeFile(zip, "not yet");
  assert.deepEqual(await statuses(), [failed, failed, failed]);
  await copyFile(join(fixtures, "zips/stored.zip"), zip);
  await utimes(zip, 1, 1);
  assert.deepEqual(await statuses(), ["converted", "converted", "not_found"]);
});
