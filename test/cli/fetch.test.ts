import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { sampleSymbols, temporaryFolder } from "../support/service.ts";
import { inSequence, reply, SymbolServer } from "../support/symbolServer.ts";
import { run } from "../support/commandLine.ts";

const id = "446150EEE021480999C4BCE7828E15281";
const gzipped = fileURLToPath(`${sampleSymbols}/attach_amd64.pdb/${id}/attach_amd64.sym.gz`);
const symbols = fileURLToPath(sampleSymbols);
const symFile = gunzipSync(await readFile(gzipped));

test("writes a sym file by its own name, decompressed", async () => {
  await using folder = await temporaryFolder();
  const parameters = ["fetch", "attach_amd64.pdb", id.toLowerCase(), "--symbols", symbols];
  const { code, stdout, stderr } = await run(parameters, { cwd: folder.path });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^attach_amd64\.sym: 77\.6 kB, .* from file:\/\/\//);
  assert.deepEqual(await readdir(folder.path), ["attach_amd64.sym"]);
  assert.deepEqual(await readFile(join(folder.path, "attach_amd64.sym")), symFile);
});

test("prints a sym file and nothing else", async () => {
  const parameters = ["fetch", "attach_amd64.pdb", id, "--symbols", symbols, "--output", "-"];
  assert.deepEqual(await run(parameters), { code: 0, stdout: symFile.toString(), stderr: "" });
});

test("downloads from the first source that has it, again after a passing fault", async () => {
  await using folder = await temporaryFolder();
  await using without = await SymbolServer.start(reply("404 Not Found"));
  const body = gzipSync(symFile);
  await using having = await SymbolServer.start(
    inSequence(reply("503 Busy"), reply("200 OK", body, { "Content-Encoding": "gzip" })),
  );
  const sources = `${without.url},${having.url}`;
  const { code, stdout } = await run(["fetch", "attach_amd64.pdb", id, "-s", sources, "-o", "out.sym"], {
    cwd: folder.path,
  });
  assert.equal(code, 0);
  assert.ok(stdout.endsWith(` from ${having.url}\n`));
  assert.deepEqual([without.hits.length, having.hits.length], [1, 2]);
  assert.deepEqual(await readFile(join(folder.path, "out.sym")), symFile);
});

test("says with exit code 1 that no source has it", async () => {
  await using server = await SymbolServer.start(reply("404 Not Found"));
  const { code, stdout, stderr } = await run([
    "fetch",
    "no.so",
    "AB",
    "--symbols",
    `${symbols},${server.url}`,
  ]);
  assert.deepEqual([code, stdout, stderr], [1, "", "tseliot: no source has a sym file for no.so AB\n"]);
});

test("says with exit code 3 that a download was cut, and leaves no file", async () => {
  await using folder = await temporaryFolder();
  await using server = await SymbolServer.start(
    reply("200 OK", symFile.subarray(0, 100), { "Content-Length": "200" }),
  );
  const { code, stdout, stderr } = await run(["fetch", "attach_amd64.pdb", id, "-s", server.url], {
    cwd: folder.path,
    env: { "sources.downloadAttempts": "2" },
  });
  assert.deepEqual([code, stdout], [3, ""]);
  assert.match(stderr, new RegExp(`^tseliot: can't download attach_amd64\\.pdb ${id}: ${server.url}: .*\n$`));
  assert.equal(server.hits.length, 2);
  assert.deepEqual(await readdir(folder.path), []);
});

test("doesn't begin anew what was printed in part", async () => {
  await using server = await SymbolServer.start(
    reply("200 OK", symFile.subarray(0, 100), { "Content-Length": "200" }),
  );
  const { code, stdout, stderr } = await run(["fetch", "attach_amd64.pdb", id, "-s", server.url, "-o", "-"]);
  assert.deepEqual([code, stdout, server.hits.length], [3, symFile.toString("utf8", 0, 100), 1]);
  assert.match(stderr, /^tseliot: http.*\n$/);
});
