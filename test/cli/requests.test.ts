import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { fixtures, sampleSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { run } from "../support/commandLine.ts";

const cache = await temporaryFolder();
after(() => cache[Symbol.asyncDispose]());
const env = { ELIOT_SYMBOLS_URLS: sampleSymbols, ELIOT_SYMBOLS_CACHE_DIR: cache.path };

interface Recorded {
  request: { path: string };
  response: { json: object };
}

for (const name of ["v4", "crash-pings-ten-jobs", "lowercase-debug-id", "module-rustsample"])
  test(`prints the recorded response for ${name}, symbolicated locally and by a service`, async () => {
    const bytes = await readFile(new URL(`answers/${name}.json.gz`, fixtures));
    const text = gunzipSync(bytes).toString();
    const { request, response } = JSON.parse(text) as Recorded;
    const input = requestText(text, request.path.endsWith("v4"));
    const here = await run(["symbolicate", "--json"], { input, env });
    assert.equal(here.code, 0);
    assert.deepEqual(JSON.parse(here.stdout), response.json);
    await using service = await startTestService();
    const there = await run(["symbolicate", "-", "--json", "--url", service.url], { input, env });
    assert.deepEqual(there, here);
  });

/** The request's JSON as it stands in the file: parsing would round offsets past 2^53. As old clients did, v4 says so. */
function requestText(recording: string, isV4: boolean): string {
  const start = recording.indexOf('"json"');
  const end = recording.indexOf('"response"');
  const text = recording.slice(recording.indexOf(":", start) + 1, recording.lastIndexOf("}", end));
  return isV4 ? text.replace("{", '{"version": 4, ') : text;
}

const module = ["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"];
const request = {
  memoryMap: [module, ["no.so", "AB"]],
  stacks: [
    [
      [0, 0xc619a],
      [1, 0x10],
    ],
    [[-1, 0x7f00]],
  ],
};

test("prints the stacks of a request with indented inlined calls, and the outcome of each module", async () => {
  const directory = "/build/reproducible-path/gcc-12-12.2.0/build/x86_64-linux-gnu/libstdc++-v3/libsupc++";
  assert.deepEqual(await run(["symbolicate"], { input: gzipSync(JSON.stringify(request)), env }), {
    code: 0,
    stdout: [
      "stack 0",
      `    0    d_append_char  ${directory}/cp-demangle.c:4368  (inlined)`,
      `       d_print_mod  ${directory}/cp-demangle.c:6153  in libstdc++.so.6`,
      "    1  0x10  in no.so",
      "",
      "stack 1",
      "    0  0x7f00",
      "",
      "modules",
      "  found      libstdc++.so.6 0CEFB84AE0DEB3F9900D2B90425BB3280",
      "  not found  no.so AB: no source has a sym file",
      "",
    ].join("\n"),
    stderr: "",
  });
});

test("prints the stacks of several jobs", async () => {
  const input = JSON.stringify({ jobs: [request, request] });
  const { stdout } = await run(["symbolicate"], { input, env });
  assert.match(stdout, /^job 0, stack 0\n[^]*\njob 1, stack 1\n/);
});

test("writes the response to a file, gzipped if its name ends in .gz, and a line to standard error", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "answer.json.gz");
  const ended = await run(["symbolicate", "--output", file], { input: JSON.stringify(request), env });
  const stderr = "1 of 2 modules have symbols; missing: no.so (no source has a sym file)\n";
  assert.deepEqual(ended, { code: 0, stdout: "", stderr });
  const { results } = JSON.parse(gunzipSync(await readFile(file)).toString()) as { results: object[] };
  assert.equal(results.length, 1);
  assert.deepEqual(await readdir(folder.path), ["answer.json.gz"]);
});

test("symbolicates without a usable cache folder, and warns once", async () => {
  const input = JSON.stringify(request);
  const { code, stdout, stderr } = await run(["symbolicate", "--cache", "/dev/null"], { input, env });
  assert.equal(code, 0);
  assert.match(stdout, /d_print_mod/);
  assert.match(stderr, /^tseliot: cache folder failed: .*ENOTDIR.*\n/);
});

/** A service that answers as told. */
async function startService(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("retries if the service is overloaded", async () => {
  await using real = await startTestService();
  let asked = 0;
  await using service = await startService(async (asking, response) => {
    if (++asked < 3) {
      response.writeHead(503, { "Retry-After": "0" }).end();
      return;
    }
    const body = Buffer.concat((await asking.toArray()) as Buffer[]).toString();
    response.end(await (await real.post("/symbolicate/v5", body, { debug: "true" })).text());
  });
  const input = JSON.stringify(request);
  const { code, stdout } = await run(["symbolicate", "--url", `${service.url}/`], { input });
  assert.deepEqual([code, asked], [0, 3]);
  assert.match(stdout, /d_print_mod/);
});

for (const [what, answer, code, message] of [
  ["is not there", undefined, 3, "can't reach URL: connect ECONNREFUSED"],
  ["answers with a page", "<html>", 3, "URL: the response is not JSON"],
  [
    "answers with something else",
    "{}",
    3,
    "URL: the response is not one of /symbolicate/v5: results: Invalid input",
  ],
  ["refuses the request", 400, 2, "URL: status 400: job 0 is odd"],
  ["has a fault", 500, 3, "URL: status 500: Internal Server Error"],
] as const) {
  test(`reports in one line that the service ${what}`, async () => {
    await using service = await startService((_, response) => {
      if (answer === 400) response.writeHead(400).end('{"title": "job 0 is odd"}');
      else if (answer === 500) response.writeHead(500).end("oops");
      else response.end(answer);
    });
    if (answer === undefined) await service[Symbol.asyncDispose]();
    const ended = await run(["symbolicate", "--url", service.url], { input: JSON.stringify(request) });
    assert.deepEqual([ended.code, ended.stdout], [code, ""]);
    assert.ok(ended.stderr.startsWith(`tseliot: ${message.replace("URL", service.url)}`), ended.stderr);
    assert.equal(ended.stderr.indexOf("\n"), ended.stderr.length - 1);
  });
}

for (const [input, message] of [
  ["MDMP\u0093\u00a7", "it is a minidump: run minidump-stackwalk --json on it first"],
  ["MODULE Linux", "it is a sym file: see tseliot convert"],
  ['{"a":', "this is not JSON: Unexpected end of JSON input"],
  ["two\nlines", `this is not JSON: Unexpected token 'w', "two lines" is not valid JSON`],
  ["[]", "this JSON is not an object, as requests, profiles and crashes are"],
  [
    '{"a": 1}',
    "this JSON is not a request, Firefox profile, crash ping, processed crash or minidump-stackwalk output: its keys are a",
  ],
  ['{"payload": {}}', "this looks like a crash ping, but has no stack traces with modules and threads"],
  [
    '{"json_dump": {}}',
    "this looks like a processed crash, but has no stack traces with modules and threads",
  ],
  ['{"meta": {}, "threads": []}', "this Gecko profile is incomplete or damaged: the process has no libs"],
  [
    '{"meta": {}, "libs": [], "threads": [{"name": "Main", "stringArray": []}]}',
    "this Firefox profile is incomplete or damaged: thread Main has no samples",
  ],
] as const) {
  test(`explains what is wrong with ${input.slice(0, 40)}`, async () => {
    const stderr = `tseliot: can't symbolicate standard input: ${message}\n`;
    assert.deepEqual(await run(["symbolicate"], { input, env }), { code: 2, stdout: "", stderr });
  });
}

test("explains what is wrong with bytes that are not UTF-8, and with an invalid request", async () => {
  const bytes = await run(["symbolicate"], { input: Buffer.from([0x7b, 0xff, 0x7d]), env });
  const stderr = "tseliot: can't symbolicate standard input: this is not JSON: its text is not UTF-8\n";
  assert.deepEqual(bytes, { code: 2, stdout: "", stderr });
  const refused = await run(["symbolicate"], { input: '{"memoryMap": [], "stacks": [[[0, 1]]]}', env });
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /^tseliot: invalid request: job 0 has invalid stacks: .*\n$/);
});

test("reads a file by its name", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "request.json"), JSON.stringify(request));
  const { stdout } = await run(["symbolicate", "request.json"], { cwd: folder.path, env });
  assert.match(stdout, /d_print_mod/);
});
