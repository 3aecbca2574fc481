import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { sampleSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { run } from "../support/commandLine.ts";

const id = "0CEFB84AE0DEB3F9900D2B90425BB3280";
const gzipped = fileURLToPath(`${sampleSymbols}/libstdc++.so.6/${id}/libstdc++.so.6.sym.gz`);

/** A folder with the symcache of libstdc++. */
const folderOfSymcache = await temporaryFolder();
after(() => folderOfSymcache[Symbol.asyncDispose]());
const symcache = join(folderOfSymcache.path, "stdc++.symc");
assert.equal((await run(["convert", gzipped, "--output", symcache])).code, 0);

test("converts a plain or gzipped sym file from a file or a pipe into the same symcache", async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  const text = gunzipSync(await readFile(gzipped));
  await writeFile(join(cwd, "plain.sym"), text);
  await copyFile(gzipped, join(cwd, "packed.sym.gz"));
  const size = String.raw`2\.3 MB from 3\.7 MB in \d+\.\d+ s, \d+\.\d [kM]B/s`;
  const plain = await run(["convert", "plain.sym"], { cwd });
  assert.deepEqual([plain.code, plain.stderr], [0, ""]);
  assert.match(plain.stdout, new RegExp(`^plain\\.symc: libstdc\\+\\+\\.so\\.6 ${id}, ${size}\n$`));
  assert.equal((await run(["convert", "packed.sym.gz"], { cwd })).code, 0);
  const piped = await run(["convert", "-", "-o", "piped.symc", "--json"], { cwd, input: text });
  assert.deepEqual(
    { ...(JSON.parse(piped.stdout) as object), milliseconds: 0 },
    {
      symcache: "piped.symc",
      debugFilename: "libstdc++.so.6",
      debugId: id,
      symFileBytes: text.length,
      symcacheBytes: (await readFile(join(cwd, "plain.symc"))).length,
      milliseconds: 0,
    },
  );
  const symcaches = ["plain.symc", "packed.symc", "piped.symc"].map((name) => readFile(join(cwd, name)));
  const [first, ...others] = await Promise.all(symcaches);
  for (const other of others) assert.deepEqual(other, first);
});

test("converts into the symcache that the service uses", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "symcache-v1/libstdc++.so.6"), { recursive: true });
  const output = join(folder.path, `symcache-v1/libstdc++.so.6/${id}.symc`);
  assert.equal((await run(["convert", gzipped, "--output", output])).code, 0);
  await using empty = await temporaryFolder();
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: `file://${empty.path}`,
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
  });
  const { results } = await service.symbolicate({
    memoryMap: [["libstdc++.so.6", id]],
    stacks: [[[0, 0xc619a]]],
  });
  assert.equal(results[0]?.stacks[0]?.[0]?.["function"], "d_print_mod");
});

test("keeps the existing output file if the conversion fails", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "bad.sym"), `MODULE Linux x86_64 ${id} x\nFUNC here 1 0 f\n`);
  await writeFile(join(folder.path, "bad.symc"), "precious");
  assert.deepEqual(await run(["convert", "bad.sym"], { cwd: folder.path }), {
    code: 2,
    stdout: "",
    stderr: 'tseliot: bad.sym can\'t be converted: line 2: parsing error: "FUNC here 1 0 f"\n',
  });
  assert.deepEqual(await readdir(folder.path), ["bad.sym", "bad.symc"]);
  assert.equal(await readFile(join(folder.path, "bad.symc"), "utf8"), "precious");
});

test("describes a symcache, verifies each page, and looks up offsets", async () => {
  const cwd = folderOfSymcache.path;
  const person = await run(["inspect", "stdc++.symc", "0xc619a", "1"], { cwd });
  assert.deepEqual([person.code, person.stderr], [0, ""]);
  assert.match(person.stdout, /^stdc\+\+\.symc\n {2}size {7}2\.3 MB\n/);
  assert.match(person.stdout, / {2}functions {2}8,236\n/);
  assert.match(person.stdout, / {2}pages {6}all 564 are valid\n/);
  assert.match(
    person.stdout,
    /\n {4}0 {4}d_append_char {2}\/.*:4368 {2}\(inlined\)\n {7}d_print_mod {2}\/.*:6153 {2}in libstdc\+\+\.so\.6\n {4}1 {2}0x1 {2}in libstdc\+\+\.so\.6\n$/,
  );
  const script = await run(["inspect", "stdc++.symc", "811418", "--json"], { cwd });
  const { contents, damage, pages, lookups } = JSON.parse(script.stdout) as Record<string, unknown>;
  assert.deepEqual([damage, pages], [null, 564]);
  assert.deepEqual(contents, {
    version: 9,
    debugFilename: "libstdc++.so.6",
    debugId: id,
    files: 277,
    functions: 8236,
    sourceLocations: 61257,
    ranges: 60268,
    stringBytes: 947380,
    payloadBytes: 2307072,
    firstAddress: 0xae000,
    lastAddress: 0x1eab80,
  });
  const [frame] = lookups as [Record<string, unknown>];
  assert.deepEqual(
    [frame["function"], frame["line"], frame["function_offset"]],
    ["d_print_mod", 6153, "0x74a"],
  );
});

/** The bytes with some of them changed, from a place or from the end on. */
function changed(bytes: Buffer, start: number, value: number, length = 1): Buffer {
  bytes.subarray(start).subarray(0, length).fill(value);
  return bytes;
}

for (const [what, damage, message] of [
  [
    "a byte changed",
    (bytes) => changed(bytes, 50_000, bytes.readUInt8(50_000) ^ 1),
    /page 12, at byte 49152/,
  ],
  ["a byte of the header changed", (bytes) => changed(bytes, 60, 9), /./],
  ["its end cut off", (bytes) => bytes.subarray(0, -1), /no trailer/],
  ["its middle cut out", (bytes) => Buffer.concat([bytes.subarray(0, 9e5), bytes.subarray(1e6)]), /./],
  ["a name in the trailer changed", (bytes) => changed(bytes, -60, 0x7f), /wrong checksum/],
  ["lengths in the trailer changed", (bytes) => changed(bytes, -32, 0xff, 12), /impossible lengths/],
] as [what: string, damage: (bytes: Buffer) => Buffer, message: RegExp][]) {
  test(`reports a symcache with ${what} as damaged, with exit code 1`, async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "bad.symc"), damage(await readFile(symcache)));
    const person = await run(["inspect", "bad.symc", "0xc619a"], { cwd: folder.path });
    assert.deepEqual([person.code, person.stderr], [1, ""]);
    assert.match(person.stdout, / {2}damage {5}/);
    const script = await run(["inspect", "bad.symc", "--json"], { cwd: folder.path });
    assert.equal(script.code, 1);
    assert.match((JSON.parse(script.stdout) as { damage: string }).damage, message);
  });
}
