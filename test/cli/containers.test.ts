import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { run } from "../support/commandLine.ts";
import { sampleSymbols, temporaryFolder } from "../support/service.ts";
import { zip } from "../support/zip.ts";

const request = JSON.stringify({
  memoryMap: [["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"]],
  stacks: [[[0, 0xc619a]]],
  padding: Array.from({ length: 30_000 }, (_, index) => (index * 7919) % 100_003),
});
const folder = await temporaryFolder();
test.after(() => folder[Symbol.asyncDispose]());
const env = { ELIOT_SYMBOLS_URLS: sampleSymbols, ELIOT_SYMBOLS_CACHE_DIR: join(folder.path, "cache") };

async function symbolicate(name: string, content: Buffer) {
  await writeFile(join(folder.path, name), content);
  return await run(["symbolicate", name], { cwd: folder.path, env });
}

const containers = {
  "request.json.gz": gzipSync(request),
  "request.json.zst": zstdCompressSync(request),
  "request.json.br": brotliCompressSync(request),
  "request.zip": zip({ "folder/": "", "folder/request.json": request }),
  "zip without its extension": zip({ "request.json": request }),
  "zip.gz": gzipSync(request),
};
for (const [name, content] of Object.entries(containers)) {
  test(`symbolicates ${name}`, async () => {
    const { code, stdout, stderr } = await symbolicate(name, content);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /d_print_mod/);
  });

  test(`explains that ${name} is truncated`, async () => {
    const truncated = content.subarray(0, content.length - 200);
    const { code, stdout, stderr } = await symbolicate(`cut ${name}`, truncated);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^tseliot: can't read cut .*: .+\n$/);
  });
}

test("explains that a zip file must have one file, and can't be piped in", async () => {
  const two = await symbolicate("two.zip", zip({ "a.json": request, "b.json": request }));
  assert.deepEqual(
    [two.code, two.stderr],
    [2, "tseliot: can't read two.zip: the zip file has 2 files, not one\n"],
  );
  const none = await symbolicate("none.zip", zip({ "folder/": "" }));
  assert.deepEqual(
    [none.code, none.stderr],
    [2, "tseliot: can't read none.zip: the zip file has 0 files, not one\n"],
  );
  const piped = await run(["symbolicate"], { input: containers["request.zip"], env });
  assert.equal(piped.code, 2);
  assert.match(piped.stderr, /it is a zip file, which can't be read from standard input: name the file\n$/);
});
