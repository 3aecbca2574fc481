import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";
import { sampleSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { absentStatuses } from "../support/downloadFaults.ts";
import { certificate, inSequence, reply, SymbolServer, type Script } from "../support/symbolServer.ts";

const name = "libtest.so";
const id = "0123456789ABCDEF0123456789ABCDEF0";
const key = `${name}/${id}`;
const job = { memoryMap: [[name, id]], stacks: [[[0, 0x1008]]] };
const symFile = `MODULE Linux x86_64 ${id} ${name}\nFILE 0 main.c\nFUNC 1000 10 0 main\n1000 10 42 0\n`;
const gzipped = gzipSync(symFile);

/** Asks a service whose only source does what `script` says; what is remembered of it lapses at once. */
async function ask(
  script: Script,
  { times = 1, env = {} }: { times?: number; env?: Record<string, string> } = {},
) {
  await using server = await SymbolServer.start(script);
  await using folder = await temporaryFolder();
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    "sources.downloadFailedTtlMs": "0",
    "sources.downloadAttempts": "1",
    "sources.stallTimeoutMs": "500",
    "sources.headersTimeoutMs": "500",
    ...env,
  });
  let response = await service.symbolicate(job);
  for (let time = 1; time < times; time++) response = await service.symbolicate(job);
  const { results, debug } = response;
  return {
    found: results[0]?.found_modules[key],
    function: results[0]?.stacks[0]?.[0]?.["function"],
    status: debug.modules.status_per_module[key]?.status,
    reason: debug.modules.status_per_module[key]?.reason,
    hits: server.hits,
    files: (await readdir(folder.path, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name),
  };
}

const whole: [string, Script][] = [
  ["with a length", reply("200 OK", symFile)],
  ["gzipped", reply("200 OK", gzipped, { "Content-Encoding": "gzip" })],
  [
    "gzipped in two members",
    reply("200 OK", Buffer.concat([gzipSync(symFile.slice(0, 50)), gzipSync(symFile.slice(50))]), {
      "Content-Encoding": "gzip",
    }),
  ],
  ["with a length and without a last newline", reply("200 OK", symFile.trimEnd())],
  [
    "in chunks",
    (socket) =>
      socket.end(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${symFile.length.toString(16)}\r\n${symFile}\r\n0\r\n\r\n`,
      ),
  ],
  ["until the connection closes", (socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${symFile}`)],
];
for (const [how, script] of whole) {
  test(`accepts a sym file that arrives ${how}`, async () => {
    const { status, function: called, files } = await ask(script);
    assert.deepEqual(
      { status, called, files },
      { status: "converted", called: "main", files: [`${id}.symc`] },
    );
  });
}

const cut: [string, Script][] = [
  [
    "ends before its length",
    reply("200 OK", symFile.slice(0, 60), { "Content-Length": String(symFile.length) }),
  ],
  [
    "ends inside a chunk",
    (socket) => socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n${symFile}`),
  ],
  [
    "lacks its last chunk",
    (socket) =>
      socket.end(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${symFile.length.toString(16)}\r\n${symFile}\r\n`,
      ),
  ],
  [
    "lacks the last 4 bytes of its gzip",
    reply("200 OK", gzipped.subarray(0, -4), { "Content-Encoding": "gzip" }),
  ],
  [
    "has a wrong checksum in its gzip",
    reply("200 OK", Buffer.concat([gzipped.subarray(0, -8), Buffer.alloc(4), gzipped.subarray(-4)]), {
      "Content-Encoding": "gzip",
    }),
  ],
  [
    "has garbage behind its gzip",
    reply("200 OK", Buffer.concat([gzipped, Buffer.from("garbage")]), { "Content-Encoding": "gzip" }),
  ],
  [
    "ends with the connection, inside a line",
    (socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${symFile.slice(0, -3)}`),
  ],
  ["is an error page with 200", reply("200 OK", "<html><body>Sorry!</body></html>")],
  ["is empty", reply("200 OK")],
  ["is another module's", reply("200 OK", symFile.replace(id, id.replace("0", "F")))],
];
for (const [what, script] of cut) {
  test(`treats a sym file that ${what} as a failed download, and retries with the next request`, async () => {
    const { found, status, hits, files } = await ask(script, { times: 2 });
    assert.deepEqual(
      { found, status, hits: hits.length, files },
      { found: false, status: "download_failed", hits: 2, files: [] },
    );
  });
}

for (const [when, script] of [
  ["before its headers", () => {}],
  [
    "in the middle",
    (socket) => void socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${symFile}`),
  ],
] as [string, Script][]) {
  test(`gives up if a source stalls ${when}`, async () => {
    const { found, status, files } = await ask(script);
    assert.deepEqual({ found, status, files }, { found: false, status: "timeout", files: [] });
  });
}

test("gives up if a source sends single bytes and the whole download takes too long", async () => {
  const drip: Script = (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n`);
    const timer = setInterval(() => socket.write("M"), 20);
    socket.on("close", () => clearInterval(timer));
  };
  const { status } = await ask(drip, { env: { "sources.downloadTimeoutMs": "500" } });
  assert.equal(status, "timeout");
});

for (const status of absentStatuses) {
  test(`remembers that a source has no sym file if it responds with ${status}`, async () => {
    const { found, status: outcome, hits } = await ask(reply(status), { times: 3 });
    assert.deepEqual(
      { found, outcome, hits },
      { found: false, outcome: "not_found", hits: [`/${name}/${id}/${name}.sym`] },
    );
  });
}

test("treats every other status as a failed download, not as a missing sym file", async () => {
  const absences = [400, 403, 404, 410, 414, 451];
  const statuses = Array.from({ length: 399 }, (_, index) => 201 + index).filter(
    (status) => !absences.includes(status),
  );
  await using server = await SymbolServer.start((socket, path) =>
    reply(`${path.slice(1).split(".")[0]} Status`, "", { Location: "/199.so" })(socket, path),
  );
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    "sources.downloadAttempts": "1",
    "sources.headersTimeoutMs": "500",
    "sources.breakerCooldownMs": "0",
  });
  const { debug } = await service.symbolicate({
    memoryMap: statuses.map((status) => [`${status}.so`, id]),
    stacks: [statuses.map((_, index) => [index, 0x1008])],
  });
  const outcomes = Object.entries(debug.modules.status_per_module);
  assert.equal(outcomes.length, statuses.length);
  assert.deepEqual(outcomes.filter(([, { status }]) => !["download_failed", "timeout"].includes(status)), []); // prettier-ignore
});

for (const status of ["400 Bad Request", "451 Unavailable For Legal Reasons"])
  for (const order of ["before", "after"])
    test(`finds no sym file if a source responds with ${status} ${order} another one's 404`, async () => {
      await using refusing = await SymbolServer.start(reply(status));
      await using missing = await SymbolServer.start(reply("404 Not Found"));
      const urls = [refusing.url, missing.url];
      if (order === "after") urls.reverse();
      await using service = await startTestService({ ELIOT_SYMBOLS_URLS: urls.join(",") });
      const memoryMap = [
        ["[vdso]", "6ED9E5D4B7C9F5A80000000000000000"],
        ["<unknown>", "00000000000000000000000000000C110"],
      ];
      for (let time = 0; time < 2; time++) {
        const { debug } = await service.symbolicate({
          memoryMap,
          stacks: [memoryMap.map((_, index) => [index, 4112])],
        });
        const statuses = Object.values(debug.modules.status_per_module).map((module) => module.status);
        assert.deepEqual(statuses, ["not_found", "not_found"]);
      }
      assert.deepEqual([refusing.hits.length, missing.hits.length], [2, 2]);
    });

test("retries within the request after a temporary failure", async () => {
  const script = inSequence(
    reply("503 Service Unavailable"),
    (socket) => socket.destroy(),
    reply("200 OK", symFile),
  );
  const { status, hits } = await ask(script, { env: { "sources.downloadAttempts": "3" } });
  assert.deepEqual({ status, hits: hits.length }, { status: "converted", hits: 3 });
});

test("waits as long as Retry-After says, unless that is absurdly long", async () => {
  const soon = inSequence(
    reply("429 Too Many Requests", "", { "Retry-After": "0" }),
    reply("200 OK", symFile),
  );
  assert.equal((await ask(soon, { env: { "sources.downloadAttempts": "2" } })).status, "converted");
  const never = inSequence(
    reply("429 Too Many Requests", "", { "Retry-After": "Fri, 31 Dec 2300 23:59:59 GMT" }),
    reply("200 OK", symFile),
  );
  assert.equal((await ask(never, { env: { "sources.downloadAttempts": "2" } })).status, "download_failed");
});

test("does not ask a source that failed five times in a row, and finds out when it has recovered", async () => {
  await using server = await SymbolServer.start(reply("500 Internal Server Error"));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    "sources.downloadFailedTtlMs": "0",
    "sources.downloadAttempts": "1",
    "sources.breakerCooldownMs": "300",
  });
  for (let time = 0; time < 8; time++) await service.symbolicate(job);
  assert.equal(server.hits.length, 5);
  server.script = reply("200 OK", symFile);
  let found: boolean | null | undefined = false;
  for (let time = 0; time < 100 && !found; time++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = (await service.symbolicate(job)).results[0]?.found_modules[key];
  }
  assert.equal(found, true);
});

const redirect = (location: string): Script => reply("302 Found", "", { Location: location });

test("follows at most three redirects", async () => {
  const hops = [redirect("/a"), redirect("/b"), redirect("/c")] as const;
  assert.equal((await ask(inSequence(...hops, reply("200 OK", symFile)))).status, "converted");
  const { status, hits } = await ask(inSequence(...hops, redirect("/d"), reply("200 OK", symFile)));
  assert.deepEqual({ status, hits: hits.length }, { status: "download_failed", hits: 4 });
});

for (const [location, path] of [
  ["/搜狗 1.sym", "/%E6%90%9C%E7%8B%97%201.sym"],
  ["/%E6%90%9C.sym", "/%E6%90%9C.sym"],
  ["/a+b~c%20d?X-Signature=é%2F+", "/a+b~c%20d?X-Signature=%C3%A9%2F+"],
  [Buffer.from("/\u00e9.sym", "latin1"), "/%E9.sym"],
] as const)
  test(`encodes a redirect to ${path} once`, async () => {
    const head = Buffer.from("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ");
    const script: Script = (socket, asked) =>
      asked === path
        ? reply("200 OK", symFile)(socket, asked)
        : socket.end(Buffer.concat([head, Buffer.from(location), Buffer.from("\r\n\r\n")]));
    const { status, hits } = await ask(script);
    assert.deepEqual([status, hits[1]], ["converted", path]);
  });

for (const script of [reply("302 Found"), redirect("file:///etc/passwd"), redirect("http://[")]) {
  test("does not follow a redirect without a valid target", async () => {
    assert.equal((await ask(script)).status, "download_failed");
  });
}

test("downloads by https from a trusted server, and follows no redirect from there to http", async (t) => {
  await using plain = await SymbolServer.start(reply("200 OK", symFile));
  await using server = await SymbolServer.startTls(reply("200 OK", symFile));
  const env = {
    ELIOT_SYMBOLS_URLS: server.url,
    "sources.downloadAttempts": "1",
    "sources.downloadFailedTtlMs": "0",
  };
  const status = async () => {
    await using service = await startTestService(env);
    return (await service.symbolicate(job)).debug.modules.status_per_module[key]?.status;
  };
  assert.equal(await status(), "download_failed");
  const trusted = getCACertificates();
  setDefaultCACertificates([...trusted, certificate]);
  t.after(() => setDefaultCACertificates(trusted));
  assert.equal(await status(), "converted");
  server.script = redirect(plain.url);
  assert.deepEqual([await status(), plain.hits], ["download_failed", []]);
});

test("asks the sources in order, and tries the next after any failure", async () => {
  await using bad = await SymbolServer.start(reply("500 Internal Server Error"));
  await using missing = await SymbolServer.start(reply("404 Not Found"));
  await using page = await SymbolServer.start(reply("200 OK", "<html>"));
  await using good = await SymbolServer.start(reply("200 OK", symFile));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: [bad, missing, page, good, bad].map(({ url }) => url).join(","),
    "sources.downloadAttempts": "1",
  });
  const { debug } = await service.symbolicate(job);
  assert.equal(debug.modules.status_per_module[key]?.status, "converted");
  assert.deepEqual(
    [bad, missing, page, good].map(({ hits }) => hits.length),
    [1, 1, 1, 1],
  );
});

test("downloads and converts once for a hundred concurrent requests, even if the first client disconnects", async () => {
  const started = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  await using server = await SymbolServer.start(async (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${symFile.length}\r\n\r\n${symFile.slice(0, 30)}`);
    started.resolve();
    await goOn.promise;
    socket.end(symFile.slice(30));
  });
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: server.url });
  const leaving = new AbortController();
  const first = fetch(`${service.url}/symbolicate/v5`, {
    method: "POST",
    body: JSON.stringify(job),
    signal: leaving.signal,
  });
  await started.promise;
  leaving.abort();
  await assert.rejects(first);
  const others = Array.from({ length: 99 }, () => service.symbolicate(job));
  goOn.resolve();
  const functions = (await Promise.all(others)).map(
    ({ results }) => results[0]?.stacks[0]?.[0]?.["function"],
  );
  assert.deepEqual(new Set(functions), new Set(["main"]));
  assert.equal(server.hits.length, 1);
});

test("sends names to the server as they are", async () => {
  await using server = await SymbolServer.start(reply("404 Not Found"));
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: `${server.url}try` });
  const names = [
    "libgallium-24.2.8-1~bpo12+rpt1.so",
    "a@b.so",
    "[vdso]",
    "a b.so",
    "<x>.so",
    "{y}.pdb",
    "file.PDB",
  ];
  await service.symbolicate({
    memoryMap: names.map((debugFilename) => [debugFilename, "ab"]),
    stacks: [names.map((_, index) => [index, 1])],
  });
  assert.deepEqual(
    server.hits.toSorted(),
    [
      "/try/%3Cx%3E.so/AB/%3Cx%3E.so.sym",
      "/try/[vdso]/AB/[vdso].sym",
      "/try/a%20b.so/AB/a%20b.so.sym",
      "/try/a@b.so/AB/a@b.so.sym",
      "/try/file.PDB/AB/file.sym",
      "/try/libgallium-24.2.8-1~bpo12+rpt1.so/AB/libgallium-24.2.8-1~bpo12+rpt1.so.sym",
      "/try/%7By%7D.pdb/AB/%7By%7D.sym",
    ].toSorted(),
  );
});

test("symbolicates the other modules of a request if one fails", async () => {
  await using server = await SymbolServer.start((socket) => socket.destroy());
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: `${server.url},${sampleSymbols}`,
    "sources.downloadAttempts": "1",
  });
  const { results } = await service.symbolicate({
    memoryMap: [
      [name, id],
      ["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"],
    ],
    stacks: [
      [
        [0, 1],
        [1, 0x6322a],
      ],
    ],
  });
  assert.deepEqual(
    results[0]?.stacks[0]?.map((frame) => typeof frame["function"]),
    ["undefined", "string"],
  );
});
