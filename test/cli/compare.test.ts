import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { inSequence, reply, SymbolServer } from "../support/symbolServer.ts";
import { run } from "../support/commandLine.ts";

const id = "AAAABBBBCCCCDDDDEEEEFFFF000011110";
const job = {
  memoryMap: [
    ["made.so", id],
    ["other.so", id],
  ],
  stacks: [
    [
      [0, 0x1004],
      [0, 0x1014],
      [0, 0x1024],
      [0, 0x1034],
    ],
    [
      [1, 0x10],
      [-1, 7],
    ],
  ],
};

/** Functions `a` at 0x1000 to `d` at 0x1030. */
function symFile(records: string): string {
  return `MODULE Linux x86_64 ${id} made.so\nFILE 0 a.c\nFILE 1 b.c\nINLINE_ORIGIN 0 in()\n${records}`;
}

const before = symFile(`FUNC 1000 10 0 a()
1000 10 1 0
FUNC 1010 10 0 b()
1010 10 2 0
FUNC 1020 10 0 c()
INLINE 0 8 1 0 1020 10
1020 10 3 0
FUNC 1030 10 0 d()
1030 10 4 0
`);
const after = symFile(`FUNC 1000 10 0 a()
1000 10 1 0
FUNC 1010 10 0 b(int)
1010 10 5 1
FUNC 1020 10 0 c()
1020 10 3 0
`);

async function serviceWith(text: string) {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  await mkdir(join(folder.path, "made.so", id), { recursive: true });
  await writeFile(join(folder.path, "made.so", id, "made.so.sym"), text);
  const service = starting.use(
    await startTestService({ ELIOT_SYMBOLS_URLS: pathToFileURL(folder.path).href }),
  );
  const running = starting.move();
  return { url: service.url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const [old, newer] = [await serviceWith(before), await serviceWith(after)];
test.after(() => Promise.all([old, newer].map((service) => service[Symbol.asyncDispose]())));

test("shows each frame that differs in v5 and v4, and counts differences by kind", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "1.json.gz"), gzipSync(JSON.stringify({ jobs: [job] }, null, 2)));
  await writeFile(join(folder.path, "2.json"), JSON.stringify({ ...job, version: 4 }));
  const { code, stdout, stderr } = await run(["compare", `${old.url}/`, newer.url, "."], {
    cwd: folder.path,
  });
  assert.equal(
    stdout,
    `- ${old.url}
+ ${newer.url}

1.json.gz, job 0, stack 0, frame 1: made.so 0x1014
  - function  b()
  + function  b(int)
  - file      a.c
  + file      b.c
  - line      2
  + line      5

1.json.gz, job 0, stack 0, frame 2: made.so 0x1024
    function  c()
  - file      b.c
  + file      a.c
  - line      8
  + line      3
  - inlines   in()  a.c:3

1.json.gz, job 0, stack 0, frame 3: made.so 0x1034
  - function  d()
  - file      a.c
  - line      4
  - function_offset  0x4

2.json, job 0, stack 0, frame 1: made.so 0x1014
  - function  b() (in made.so)
  + function  b(int) (in made.so)

2.json, job 0, stack 0, frame 3: made.so 0x1034
  - function  d() (in made.so)
  + function  0x1034 (in made.so)

2 requests, 2 × 200; 12 frames
5 differences, 5 of frames
  function                4
  file                    3
  line                    3
  inlines                 1
  function_offset         1
`,
  );
  assert.equal(stderr, "");
  assert.equal(code, 1);
});

test("finds no difference between a service and itself, with a path in its URL and requests from standard input", async () => {
  const lines = [{ ...job, version: 5 }, { jobs: [job, job] }, { ...job, version: 4 }, { jobs: null }];
  const input = `${lines.map((line) => JSON.stringify(line)).join("\n\n")}\n`;
  const { code, stdout } = await run(["compare", old.url, `${old.url}/symbolicate/v5`], { input });
  assert.equal(stdout, "4 requests, 3 × 200, 1 × 400; 24 frames\nno differences\n");
  assert.equal(code, 0);
});

test("prints all differences as JSON, even more than the text output shows", async () => {
  const input = JSON.stringify(job);
  const { code, stdout } = await run(["compare", old.url, newer.url, "-", "--json", "--limit", "1"], {
    input,
  });
  const { differences, ...rest } = JSON.parse(stdout) as { differences: Record<string, unknown>[] };
  assert.deepEqual(rest, {
    urls: [old.url, newer.url],
    requests: 1,
    frames: 6,
    differingFrames: 3,
    differenceCount: 3,
    kinds: { function: 2, file: 3, line: 3, inlines: 1, function_offset: 1 },
    statuses: { 200: 1 },
  });
  const frame = { frame: 1, module: "made.so", module_offset: "0x1014", function_offset: "0x4" };
  assert.deepEqual(differences[0], {
    request: "standard input",
    job: 0,
    stack: 0,
    frame: 1,
    module: "made.so",
    moduleOffset: "0x1014",
    kinds: ["function", "file", "line"],
    sides: [
      { ...frame, function: "b()", file: "a.c", line: 2 },
      { ...frame, function: "b(int)", file: "b.c", line: 5 },
    ],
  });
  assert.equal(code, 1);

  const limited = await run(["compare", old.url, newer.url, "-", "--limit", "1"], { input });
  assert.match(limited.stdout, /\n\n2 more: --limit\n\n/);

  const twice = await run(["compare", old.url, newer.url], { input: `${input}\n${input}` });
  assert.match(twice.stdout, /\n\n3 more with the same offset and difference\n\n2 requests, /);
});

test("ignores the order of keys, and reports missing keys and found modules", async () => {
  const frame = { frame: 0, module: "a", module_offset: "0x1", function: "f", line: 1 };
  const reversed = Object.fromEntries(Object.entries(frame).toReversed());
  const response = (result: object) => reply("200 OK", JSON.stringify({ results: [result] }));
  await using left = await SymbolServer.start(
    inSequence(
      response({ stacks: [[frame]], found_modules: { "a/A": true, "b/B": null } }),
      response({ stacks: [[frame, frame], [frame]], found_modules: { "a/A": true } }),
    ),
  );
  await using right = await SymbolServer.start(
    inSequence(
      response({ found_modules: { "b/B": null, "a/A": true }, stacks: [[reversed]] }),
      response({ stacks: [[frame]], found_modules: { "a/A": false } }),
    ),
  );
  const same = await run(["compare", left.url, right.url], { input: "{}" });
  assert.equal(same.stdout, "1 request, 1 × 200; 1 frame\nno differences\n");
  const { stdout } = await run(["compare", left.url, right.url], { input: "{}" });
  assert.equal(
    stdout.slice(stdout.indexOf("\n\n") + 2),
    `standard input, job 0: a/A
  - found_modules  true
  + found_modules  false

standard input, job 0, stack 0, frame 1: a 0x1
  - function  f
  - line      1
  + nothing

standard input, job 0, stack 1
  - frames    1
  + nothing

1 request, 1 × 200; 3 frames
3 differences, 1 of frames
  missing                 2
  found_modules           1
`,
  );
});

test("counts different statuses, invalid responses and missing responses as differences", async () => {
  const proxyPage = "<html>Bad gateway</html>";
  await using broken = await SymbolServer.start(
    inSequence(
      reply("500 Internal Server Error", '{"title":"oops"}'),
      (socket) => socket.resetAndDestroy(),
      reply("200 OK", proxyPage),
      () => {},
    ),
  );
  const input = `${JSON.stringify(job)}\n`.repeat(4);
  const parameters = ["compare", broken.url, old.url, "--concurrency", "1", "--timeout", "500ms", "--json"];
  const { code, stdout } = await run(parameters, { input });
  const { differences, statuses } = JSON.parse(stdout) as {
    differences: { kinds: string[]; sides: Record<string, unknown>[] }[];
    statuses: object;
  };
  assert.deepEqual(statuses, { "500/200": 1, "reset/200": 1, 200: 1, "timeout/200": 1 });
  assert.deepEqual(
    differences.map(({ kinds, sides: [side] }) => [kinds, side?.["status"] ?? side?.["answer"]]),
    [
      [["status"], 500],
      [["status"], "reset"],
      [["answer"], proxyPage],
      [["status"], "timeout"],
    ],
  );
  assert.equal(code, 1);
});

test("retries a busy service after Retry-After", async () => {
  const response = reply("200 OK", '{"results":[]}');
  const busy = reply("503 Service Unavailable", "{}", { "Retry-After": "1" });
  await using left = await SymbolServer.start(inSequence(busy, response));
  await using right = await SymbolServer.start(response);
  const { code } = await run(["compare", left.url, right.url], { input: "{}" });
  assert.equal(code, 0);
  assert.equal(left.hits.length, 2);
});

test("reports invalid options, and which service it can't reach", async () => {
  await using folder = await temporaryFolder();
  const end = async (requests: string[], input = "", url = newer.url) => {
    const { code, stderr } = await run(["compare", old.url, url, ...requests], { input, cwd: folder.path });
    return `${code} ${stderr}`;
  };
  await writeFile(join(folder.path, "half.json"), '{\n  "jobs": [');
  assert.equal(await end([]), "2 tseliot: standard input is empty\n");
  assert.equal(await end(["-"], " \n"), "2 tseliot: there are no requests to compare\n");
  assert.equal(await end(["nosuch"]), "2 tseliot: can't read nosuch: no such file or folder\n");
  assert.match(await end(["half.json"]), /^2 tseliot: half\.json is not JSON: /);
  assert.match(await end(["-"], '{"a": 1}\n{"a": 1\n'), /^2 tseliot: line 2 of standard input is not JSON: /);
  await mkdir(join(folder.path, "empty"));
  assert.match(await end(["empty"]), /^2 tseliot: empty has no \.json, /);
  assert.match(await end(["-"], "{}", "localhost:8000"), /^2 tseliot: not an http:/);
  assert.match(
    await end(["-"], "{}", "http://127.0.0.1:1"),
    /^3 tseliot: can't reach http:\/\/127\.0\.0\.1:1: /,
  );
});
