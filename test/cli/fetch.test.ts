import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
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

test("writes the sym file of a module with a code id as it is", async () => {
  await using folder = await temporaryFolder();
  await using server = await SymbolServer.start((socket, path) => {
    const isAsked = path === "/attach_amd64.dll/64E782C570C4000/attach_amd64.sym";
    return (isAsked ? reply("200 OK", symFile) : reply("404 Not Found"))(socket, path);
  });
  const parameters = ["fetch", "attach_amd64.dll", "64e782c570c4000", "--symbols", server.url];
  const { code, stderr } = await run(parameters, { cwd: folder.path });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(await readFile(join(folder.path, "attach_amd64.sym")), symFile);
});

test("prints a sym file and nothing else", async () => {
  const parameters = ["fetch", "attach_amd64.pdb", id, "--symbols", symbols, "--output", "-"];
  assert.deepEqual(await run(parameters), { code: 0, stdout: symFile.toString(), stderr: "" });
});

test("downloads from the first source that has the sym file, with a retry after a temporary failure", async () => {
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

test("exits with code 1 if no source has the sym file", async () => {
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

test("exits with code 3 if the download is cut short, and leaves no file", async () => {
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

test("does not retry once it has printed a part", async () => {
  await using server = await SymbolServer.start(async (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${symFile.length}\r\n\r\n`);
    for (const at of [0, 1000]) {
      socket.write(symFile.subarray(at, at + 1000));
      await setTimeout(200);
    }
    socket.end();
  });
  const { code, stdout, stderr } = await run(["fetch", "attach_amd64.pdb", id, "-s", server.url, "-o", "-"]);
  assert.deepEqual([code, stdout, server.hits.length], [3, symFile.toString("utf8", 0, 1000), 1]);
  assert.match(stderr, /^tseliot: http.*\n$/);
});

const unusable = {
  "a login page": ["<!doctype html><title>Sign in</title>", "doesn't start with MODULE"],
  "gzip of a login page": [gzipSync("<!doctype html><title>Sign in</title>"), "doesn't start with MODULE"],
  "another module's sym file": [
    symFile.toString().replace(id, `${"F".repeat(32)}1`),
    `requested 446150ee-e021-4809-99c4-bce7828e1528-1, but the file is of ${"f".repeat(8)}-`,
  ],
  "a short sym file of another module": [
    `MODULE Linux x86_64 ${"F".repeat(32)}1 attach_amd64.pdb\n`,
    "requested ",
  ],
  "a sym file with a bad line": [symFile.toString().replace("\nFUNC ", "\nFUNC x\nFUNC "), "line \\d+: "],
  "an empty body": ["", "doesn't start with MODULE"],
  "gzip that is cut": [gzipSync(symFile).subarray(0, -9), "bad gzip: unexpected end of file"],
} as const;

for (const [what, [body, reason]] of Object.entries(unusable)) {
  test(`rejects ${what} with a reason, leaves no file, and tries the next source`, async () => {
    await using folder = await temporaryFolder();
    await using bad = await SymbolServer.start(reply("200 OK", body));
    await using good = await SymbolServer.start(reply("200 OK", symFile));
    const fetchFrom = (sources: string, output: string) =>
      run(["fetch", "attach_amd64.pdb", id, "-s", sources, "-o", output], {
        cwd: folder.path,
        env: { "sources.downloadAttempts": "1" },
      });
    const { code, stdout, stderr } = await fetchFrom(bad.url, "out.sym");
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, new RegExp(`^tseliot: can't download \\S+ ${id}: ${bad.url}: .*${reason}.*\n$`));
    assert.deepEqual(await readdir(folder.path), []);
    assert.equal((await fetchFrom(`${bad.url},${good.url}`, "out.sym")).code, 0);
    assert.deepEqual(await readFile(join(folder.path, "out.sym")), symFile);
  });
}

test("prints nothing of a file that is not the module's sym file", async () => {
  for (const [body] of [unusable["a login page"], unusable["another module's sym file"]]) {
    await using bad = await SymbolServer.start(reply("200 OK", body));
    await using good = await SymbolServer.start(reply("200 OK", symFile));
    const parameters = ["fetch", "attach_amd64.pdb", id, "-o", "-", "-s"];
    const alone = await run([...parameters, bad.url]);
    assert.deepEqual([alone.code, alone.stdout], [3, ""]);
    const both = await run([...parameters, `${bad.url},${good.url}`]);
    assert.deepEqual([both.code, both.stdout, both.stderr], [0, symFile.toString(), ""]);
  }
});

test("decompresses a sym file whatever its headers say", async () => {
  await using folder = await temporaryFolder();
  for (const body of [gzipSync(symFile), gzipSync(gzipSync(symFile)), zstdCompressSync(symFile)]) {
    await using server = await SymbolServer.start(
      reply("200 OK", body, { "Content-Encoding": "aws-chunked" }),
    );
    const parameters = ["fetch", "attach_amd64.pdb", id, "-s", server.url];
    assert.equal((await run(parameters, { cwd: folder.path })).code, 0);
    assert.deepEqual(await readFile(join(folder.path, "attach_amd64.sym")), symFile);
  }
});

test("follows a redirect whose Location has non-ASCII bytes", async () => {
  await using server = await SymbolServer.start((socket, path) =>
    (path === "/%E6%90%9C.sym" ? reply("200 OK", symFile) : reply("302 Found", "", { Location: "/搜.sym" }))(
      socket,
      path,
    ),
  );
  const { code, stdout } = await run(["fetch", "attach_amd64.pdb", id, "-s", server.url, "-o", "-"]);
  assert.deepEqual([code, stdout], [0, symFile.toString()]);
});
