import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sampleSymbols, temporaryFolder } from "../support/service.ts";
import { SymbolServer } from "../support/symbolServer.ts";
import { run, start } from "../support/commandLine.ts";
import { waitUntil } from "../support/waitUntil.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const symbols = fileURLToPath(sampleSymbols);
const moduleRecord = "MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 libtest.so\n";

/** Files that commands refuse. */
const oddities = await temporaryFolder();
after(() => oddities[Symbol.asyncDispose]());
await mkdir(join(oddities.path, "folder"));
for (const [name, content] of [
  ["empty", ""],
  ["text", "nothing of interest\n"],
  ["cut.gz", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0])],
  ["request", JSON.stringify({ memoryMap: [["x", "AB"]], stacks: [[[0, 1]]] })],
] as const)
  await writeFile(join(oddities.path, name), content);

test("runs as `npx tseliot` in the repository", async () => {
  const { stdout } = await promisify(execFile)("npx", ["tseliot", "--version"], { cwd: root });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("prints help with examples for the program and each command", async () => {
  const { code, stdout, stderr } = await run(["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /Exit codes:\n {2}0 /);
  const commands = [...stdout.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(([, name = ""]) => name);
  assert.deepEqual(
    commands.toSorted(),
    ["compare", "convert", "fetch", "inspect", "load", "make-requests", "serve", "symbolicate"],
  ); // prettier-ignore
  for (const command of commands) {
    const help = await run([command, "--help"]);
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, new RegExp(`Examples:\n[^]* {2}\\$ .*tseliot ${command} `));
  }
});

for (const [parameters, message] of [
  [["symbolicat"], "unknown command 'symbolicat' (Did you mean symbolicate?)"],
  [["--loud"], "unknown option '--loud'"],
  [["fetch", "libxul.so"], "missing required argument 'id'"],
  [["inspect"], "missing required argument 'symc'"],
  [["convert", "a", "b"], "too many arguments for 'convert'. Expected 1 argument but got 2: a, b."],
  [["symbolicate", "--jsn"], "unknown option '--jsn' (Did you mean --json?)"],
  [
    ["symbolicate", "--threads", "some"],
    "option '-t, --threads <which>' argument 'some' is invalid. Allowed choices are crashed, all.",
  ],
  [
    ["symbolicate", "--stacks", "many"],
    "option '-n, --stacks <number>' argument 'many' is invalid. It is not a whole number.",
  ],
  [["symbolicate", "absent.json"], "can't read absent.json: no such file or folder"],
  [["convert", "absent.sym"], "can't read absent.sym: no such file or folder"],
  [["inspect", "absent.symc"], "can't read absent.symc: no such file or folder"],
  [["symbolicate", "folder"], "can't read folder: it is a folder"],
  [["convert", "folder"], "can't read folder: it is a folder"],
  [["inspect", "folder"], "folder is not a file"],
  [["symbolicate", "empty"], "empty is empty"],
  [["convert", "empty"], "empty is empty"],
  [["inspect", "empty"], "empty is not a symcache"],
  [["symbolicate"], "standard input is empty"],
  [["convert", "-"], "standard input requires --output"],
  [["convert", "text", "--output", "-"], "a symcache can't be written to standard output"],
  [["convert", "text"], "text is not a sym file: it does not start with a MODULE record"],
  [["inspect", "text"], "text is not a symcache"],
  [["inspect", "text", "0xx"], '"0xx" is not an offset from 0 to 0xffffffff'],
  [["symbolicate", "cut.gz"], "can't read cut.gz: bad gzip: unexpected end of file"],
  [
    ["symbolicate", "request", "--symbols", "absent"],
    "--symbols: absent is not a folder, a .sym file or a .zip file",
  ],
  [
    ["symbolicate", "request", "--symbols", "ftp://x"],
    '--symbols has "ftp://x", which is not an https://, http:// or file:/// URL: "ftp://x"',
  ],
  [["symbolicate", "request", "--url", "x"], "not an http:// or https:// address: x"],
  [["symbolicate", "request", "-s", symbols, "-o", "folder"], "can't write folder: it is a folder"],
  [
    ["symbolicate", "request", "-s", symbols, "-o", "absent/x"],
    "can't write absent/x: no such file or folder",
  ],
  [["fetch", "../x", "AB"], '"../x/AB": no symbol server can have a file of that name'],
  [["fetch", "x", "XY"], '"x/XY": the debug id is not 1 to 64 hex digits'],
  [["serve", "--port", "http"], '--port is not an integer from 0 to 65535: "http"'],
] as const) {
  test(`refuses \`${parameters.join(" ").replace(symbols, "symbols")}\` with exit code 2 and one line`, async () => {
    const env = { ELIOT_SYMBOLS_CACHE_DIR: join(oddities.path, "cache") };
    const ended = await run([...parameters], { cwd: oddities.path, env });
    assert.deepEqual(ended, { code: 2, stdout: "", stderr: `tseliot: ${message}\n` });
  });
}

test("prints its help with exit code 2 if no command is given", async () => {
  const { code, stdout, stderr } = await run([]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^Usage: tseliot <command>/);
});

for (const [what, input] of [
  ["a long stack", JSON.stringify({ memoryMap: [], stacks: [Array.from({ length: 1e5 }, () => [-1, 1])] })],
  ["many stacks", JSON.stringify({ memoryMap: [], stacks: Array.from({ length: 1e5 }, () => [[-1, 1]]) })],
] as const) {
  test(`exits quietly if the reader of ${what} closes the pipe early`, async () => {
    await using folder = await temporaryFolder();
    const { child, ended } = start(["symbolicate", "--symbols", symbols, "--cache", folder.path]);
    child.stdin.end(input);
    await once(child.stdout, "data");
    child.stdout.destroy();
    const { code, stderr } = await ended;
    assert.deepEqual([code, stderr], [0, ""]);
  });
}

/** A symbol server whose sym files begin, and never end. */
function startEndlessServer() {
  return SymbolServer.start((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${moduleRecord}`);
  });
}

for (const [signal, code, parameters, input] of [
  ["SIGINT", 130, ["fetch", "libtest.so", "0123456789ABCDEF0123456789ABCDEF0"], ""],
  ["SIGTERM", 143, ["fetch", "libtest.so", "0123456789ABCDEF0123456789ABCDEF0"], ""],
  [
    "SIGINT",
    130,
    ["convert", "-", "--output", "libtest.symc"],
    `${moduleRecord}${"FILE 0 a.c\n".repeat(1e5)}`,
  ],
  ["SIGINT", 130, ["symbolicate"], `{"memoryMap": [${" ".repeat(1e6)}`],
  ["SIGINT", 130, ["symbolicate", "request"], ""],
] as const) {
  test(`ends \`${parameters.join(" ")}\` at ${signal} with exit code ${code} and leaves no file`, async () => {
    await using folder = await temporaryFolder();
    await using cache = await temporaryFolder();
    await using server = await startEndlessServer();
    const id = "0123456789ABCDEF0123456789ABCDEF0";
    const request = { memoryMap: [["libtest.so", id]], stacks: [[[0, 1]]] };
    await writeFile(join(folder.path, "request"), JSON.stringify(request));
    const { child, ended } = start([...parameters], {
      cwd: folder.path,
      env: { ELIOT_SYMBOLS_URLS: server.url, ELIOT_SYMBOLS_CACHE_DIR: cache.path },
    });
    if (input === "") await waitUntil(() => server.hits.length > 0);
    else if (!child.stdin.write(input)) await once(child.stdin, "drain");
    child.kill(signal);
    assert.deepEqual(await ended, { code, stdout: "", stderr: "" });
    assert.deepEqual(await readdir(folder.path), ["request"]);
    const left = await readdir(cache.path, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isFile()),
      [],
    );
  });
}

test("starts the service like `npm start`, and exits with code 0 after SIGTERM", async () => {
  await using folder = await temporaryFolder();
  const parameters = ["serve", "--port", "0", "--symbols", symbols, "--cache", folder.path];
  const { child, ended } = start(parameters, { env: { ELIOT_STATSD_HOST: "127.0.0.1" } });
  child.stdout.setEncoding("utf8");
  let log = "";
  child.stdout.on("data", (text: string) => (log += text));
  while (!/listening on (http:[^"]*)/.test(log)) await once(child.stdout, "data");
  const [, url = ""] = /listening on (http:[^"]*)/.exec(log) ?? [];
  const body = JSON.stringify({
    memoryMap: [["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"]],
    stacks: [[[0, 0xc619a]]],
  });
  const response = await fetch(`${url}/symbolicate/v5`, { method: "POST", body });
  assert.match(await response.text(), /d_print_mod/);
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});
