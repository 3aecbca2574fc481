import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { constants, createGunzip, gzipSync, zstdCompressSync } from "node:zlib";
import { sampleSymbols, quirkSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { startStatsdServer } from "../support/statsdServer.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const symbols = await temporaryFolder();
const statsd = await startStatsdServer();
const service = await startTestService({
  ...statsd.env,
  ELIOT_HOSTNAME: "testhost",
  ELIOT_SYMBOLS_URLS: `${sampleSymbols},${quirkSymbols},file://${symbols.path}`,
  ELIOT_MAX_BODY_SIZE: "1mb",
  "server.maxResponseBytes": "2000000",
  "server.requestTimeoutMs": "1000",
});
after(async () => {
  await service[Symbol.asyncDispose]();
  await statsd[Symbol.asyncDispose]();
  await symbols[Symbol.asyncDispose]();
});

const [libstdc, libstdcId] = ["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"];
/** The first 16 bytes are those of the debug id in another order. */
const libstdcBuildId = "4ab8ef0cdee0f9b3900d2b90425bb32801234567";
/** d_print_mod(), where d_append_char() is inlined. */
const inlined = 811_418;
const job = { memoryMap: [[libstdc, libstdcId]], stacks: [[[0, inlined]], [[0, 1], [0, inlined]]] }; // prettier-ignore
const base = 0x7f00_0000_0000;
const hex = (address: number) => `0x${address.toString(16).padStart(16, "0")}`;
const ping = {
  crash_thread: 1,
  crash_type: "SIGSEGV",
  modules: [
    { base_address: hex(0x1000), debug_file: "unused.so", debug_id: "A", filename: "unused.so" },
    { base_address: hex(base), debug_file: libstdc, debug_id: libstdcId, filename: "libstdc++.so.6.0.30" },
  ],
  threads: [
    { frames: [{ ip: hex(0x1234) }] },
    {
      frames: [
        { ip: hex(base + inlined), module_index: 1, trust: "context" },
        { ip: hex(base + 1), module_index: 1, trust: "scan" },
      ],
    },
  ],
};

type Body = string | Uint8Array<ArrayBuffer>;

async function post(body: Body, query = "", headers: Record<string, string> = {}) {
  return service.post(`/symbolicate/bulk${query}`, body, headers);
}

/** The lines that answer a body. */
async function ask(body: Body, query?: string, headers?: Record<string, string>): Promise<unknown[]> {
  const response = await post(body, query, headers);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  const text = await response.text();
  assert.match(text, /^$|\n$/);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}

async function v5(value: object): Promise<unknown> {
  const response = await service.post("/symbolicate/v5", JSON.stringify(value));
  const { results } = (await response.json()) as { results: unknown[] };
  return results[0];
}

const invalid = (fault: string) => ({ error: { title: `job is invalid: ${fault}` } });
const ndjson = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

interface Line {
  threads: { frames: Record<string, unknown>[] }[];
  stacks: Record<string, unknown>[][];
  crash_thread: number;
  found_modules: Record<string, boolean | null>;
}
const askOne = async (value: unknown, query?: string) => (await ask(ndjson(value), query))[0] as Line;

test("answers a job as v5 does", async () => {
  assert.deepEqual(await ask(ndjson(job)), [await v5(job)]);
});

test("answers a crash ping by the modules that its addresses are in", async () => {
  const { stacks } = (await v5({ ...job, stacks: [[[0, inlined]]] })) as Line;
  const known = { ...stacks[0]?.[0], module: "libstdc++.so.6.0.30", trust: "context" };
  assert.deepEqual(await askOne(ping), {
    threads: [
      { frames: [{ frame: 0, module: "<unknown>", module_offset: "0x1234" }] },
      {
        frames: [known, { frame: 1, module: "libstdc++.so.6.0.30", module_offset: "0x1", trust: "scan" }],
      },
    ],
    crash_thread: 1,
    found_modules: { [`${libstdc}/${libstdcId}`]: true },
  });
});

test("accepts pings with Android's camelCase keys, and with older keys", async () => {
  const asked = await askOne(ping);
  const camelCase = (text: string) =>
    text.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  assert.deepEqual(
    await ask(`${camelCase(JSON.stringify(ping))}\n`.replaceAll("libstdc++So", "libstdc++.so")),
    [asked],
  );
  const { crash_thread, modules, ...rest } = ping;
  const older = {
    ...rest,
    crash_info: { crashing_thread: crash_thread, address: "0x0" },
    modules: modules.map(({ base_address, ...module }) => ({ ...module, base_addr: base_address })),
  };
  assert.deepEqual(await askOne(older), asked);
});

test("accepts addresses as hex with or without 0x and as integers, up to 2^64 − 1", async () => {
  const of = (ip: string, base_address: string) =>
    `{"modules":[{"base_address":${base_address},"debug_file":"a","debug_id":"A"}],"threads":[{"frames":[{"ip":${ip},"module_index":0},{"ip":${ip}}]}]}\n`;
  const lines = await ask(
    of(`"0xFFFFFFFFFFFFFFFF"`, `"ffffffffffff0000"`) +
      of("18446744073709551615", "18446744073709551614") +
      of("9007199254740993", "1") +
      of("4096", `"0x1"`),
  );
  assert.deepEqual(
    lines.map((line) => (line as Line).threads[0]?.frames.map(({ module_offset }) => module_offset)),
    [
      ["0xffff", "0xffffffffffffffff"],
      ["0x1", "0xffffffffffffffff"],
      ["0x20000000000000", "0x20000000000001"],
      ["0xfff", "0x1000"],
    ],
  );
});

test("answers a ping that has modules with an invalid name or id", async () => {
  const of = (debug_file: unknown, debug_id: unknown) => ({
    ...ping,
    modules: [{ base_address: "0x0", debug_file, debug_id, filename: "字.dll" }, ping.modules[1]],
    threads: [{ frames: [{ ip: "0x5", module_index: 0 }, ping.threads[1]?.frames[0]] }],
  });
  for (const [name, id, key, found] of [
    ["字.pdb", "A", "字.pdb/A", false],
    ["a*b", null, "a*b/", null],
    [undefined, "A-1", "字.dll/A-1", false],
    ["a", undefined, "a/", null],
  ]) {
    // prettier-ignore
    const { threads, found_modules } = await askOne(of(name, id));
    const [bare, known] = threads[0]?.frames ?? [];
    assert.deepEqual(bare, { frame: 0, module: "字.dll", module_offset: "0x5" });
    assert.equal(known?.["function"], "d_print_mod");
    assert.deepEqual(found_modules, { [String(key)]: found, [`${libstdc}/${libstdcId}`]: true });
  }
});

for (const [what, names, key] of [
  ["a path", { debug_file: `/usr/lib/${libstdc}` }, `/usr/lib/${libstdc}/${libstdcId}`],
  ["a path in camelCase", { debugFile: `/usr/lib/${libstdc}` }, `/usr/lib/${libstdc}/${libstdcId}`],
  ["a Windows path", { debug_file: `C:\\x\\${libstdc}` }, `C:\\x\\${libstdc}/${libstdcId}`],
  [
    "an empty debug file",
    { debug_file: "", filename: `C:\\x\\${libstdc}` },
    `C:\\x\\${libstdc}/${libstdcId}`,
  ],
  ["a null debug file", { debug_file: null, filename: libstdc }, `${libstdc}/${libstdcId}`],
  [
    "a build id",
    { debug_id: "", code_id: libstdcBuildId, filename: `/lib/${libstdc}` },
    `/lib/${libstdc}/${libstdcBuildId}`,
  ],
] as const)
  test(`finds a module with ${what}, and repeats the ping's own words`, async () => {
    const { debug_file: _, ...withoutName } = ping.modules[1] ?? { debug_file: "" };
    const modules = [{ ...withoutName, ...names }, ping.modules[1]];
    const threads = [
      { frames: [0, 1].map((module_index) => ({ ...ping.threads[1]?.frames[0], module_index })) },
    ];
    const [line] = await ask(ndjson({ modules, threads }), "", { debug: "yes" });
    const { threads: answered, found_modules, debug } = line as Line & { debug: { modules: object } };
    assert.deepEqual(
      answered[0]?.frames.map((frame) => frame["function"]),
      ["d_print_mod", "d_print_mod"],
    );
    const keys = [...new Set([key, `${libstdc}/${libstdcId}`])];
    assert.deepEqual(found_modules, Object.fromEntries(keys.map((words) => [words, true])));
    assert.deepEqual(debug.modules, {
      status_per_module: Object.fromEntries(keys.map((words) => [words, { status: "cached" }])),
    });
  });

for (const debug_id of [undefined, null, "", "0".repeat(33)])
  test(`asks for a module with the debug id ${JSON.stringify(debug_id)} and a code id by code file and code id`, async () => {
    const ownId = "0123456789ABCDEF0123456789ABCDEF1";
    const path = `/app.pdb/${ownId}/app.sym`;
    const symFile = `MODULE windows x86_64 ${ownId} app.pdb\nFUNC 1000 10 0 main\n`;
    await using server = await SymbolServer.start(async (socket, asked) => {
      if (asked === path) {
        socket.setNoDelay().write(`HTTP/1.1 200 OK\r\nContent-Length: ${symFile.length}\r\n\r\nMODULE win`);
        await setTimeout(50);
        return socket.end(symFile.slice("MODULE win".length));
      }
      if (asked === "/app.dll/64E782C570C4000/app.sym")
        return reply("302 Found", "", { Location: path })(socket, asked);
      return reply("404 Not Found")(socket, asked);
    });
    await using small = await startTestService({ ELIOT_SYMBOLS_URLS: server.url });
    const filename = "C:\\Program Files\\app.dll";
    const modules = [
      { base_address: "0x10000", debug_file: "", debug_id, filename, code_id: "64e782c570c4000" },
      { base_address: "0x10000", filename: "no.exe", code_id: "64E782C570C4000" },
    ];
    const threads = [
      {
        frames: [
          { ip: "0x11008", module_index: 0 },
          { ip: "0x11008", module_index: 1 },
        ],
      },
    ];
    for (let time = 0; time < 2; time++) {
      const response = await small.post("/symbolicate/bulk", ndjson({ modules, threads }));
      const { threads: answered, found_modules } = (await response.json()) as Line;
      assert.deepEqual(answered[0]?.frames, [
        { frame: 0, module: filename, module_offset: "0x1008", function_offset: "0x8", function: "main" },
        { frame: 1, module: "no.exe", module_offset: "0x1008" },
      ]);
      assert.deepEqual(found_modules, {
        [`${filename}/64e782c570c4000`]: true,
        "no.exe/64E782C570C4000": false,
      });
    }
    assert.deepEqual(server.hits.toSorted(), [
      "/app.dll/64E782C570C4000/app.sym",
      path,
      "/no.exe/64E782C570C4000/no.sym",
    ]);
  });

test("accepts pings without threads, frames, modules or a crashed thread", async () => {
  assert.deepEqual(
    await ask(
      ndjson({ threads: [] }, { threads: [{}] }, { crash_thread: 7, threads: null }) +
        ndjson({ threads: [{ frames: [] }] }, { crash_thread: null, threads: [{}] }),
      "?thread=crashing",
    ),
    Array.from({ length: 5 }, () => ({ threads: [{ frames: [] }], crash_thread: 0, found_modules: {} })),
  );
  assert.deepEqual(await askOne({ crash_thread: 7, threads: [] }), {
    threads: [],
    crash_thread: 7,
    found_modules: {},
  });
});

for (const [fault, change] of [
  ["modules must be a list", { modules: {} }],
  ["threads must be a list", { threads: 5 }],
  ["crash_thread is not a valid index into threads", { crash_thread: -1 }],
  ["crash_thread is not a valid index into threads", { crash_thread: "0" }],
  ["thread 1 is not an object", { threads: [{}, []] }],
  ["thread 0 has frames that are not a list", { threads: [{ frames: {} }] }],
] as const)
  // prettier-ignore
  test(`says of a ping with ${JSON.stringify(change)} that ${fault}`, async () => {
    assert.deepEqual(await ask(ndjson({ ...ping, ...change }, job)), [invalid(fault), await v5(job)]);
  });

const libstdcModule = ping.modules[1];
const crashFrame = ping.threads[1]?.frames[0];
for (const base_address of [null, undefined, "", "0xhello", -1, 0.5, {}, "0x10000000000000000"])
  test(`treats a frame of a module with the base address ${JSON.stringify(base_address)} as one without a module`, async () => {
    const modules = [{ ...libstdcModule, base_address }, libstdcModule];
    const threads = [{ frames: [{ ip: "0x7f", module_index: 0, trust: "scan" }, crashFrame] }];
    const { threads: answered } = await askOne({ modules, threads });
    const [bare, known] = answered[0]?.frames ?? [];
    assert.deepEqual(bare, { frame: 0, module: "<unknown>", module_offset: "0x7f", trust: "scan" });
    assert.equal(known?.["function"], "d_print_mod");
  });

test("treats a frame of a module that is not an object as one without a module", async () => {
  const threads = [{ frames: [0, 1, 2].map((module_index) => ({ ip: 5, module_index })) }];
  const { threads: answered, found_modules } = await askOne({ modules: [null, 5, []], threads });
  const bare = { module: "<unknown>", module_offset: "0x5" };
  assert.deepEqual(
    [answered[0]?.frames, found_modules],
    [[0, 1, 2].map((frame) => ({ frame, ...bare })), {}],
  );
});

for (const index of [-1, -2, 2, 1e10, 0.5, "1", true, {}])
  test(`treats a frame with the module index ${JSON.stringify(index)} as one without a module`, async () => {
    const threads = [{ frames: [{ ...crashFrame, module_index: index }, crashFrame] }];
    const [bare, known] = (await askOne({ ...ping, threads })).threads[0]?.frames ?? [];
    assert.equal(bare?.["module"], "<unknown>");
    assert.equal(BigInt(String(bare["module_offset"])), BigInt(base + inlined));
    assert.equal(known?.["function"], "d_print_mod");
  });

for (const ip of [null, undefined, "", "pc", "0x10000000000000000", -1, 0.5, []])
  test(`treats an ip of ${JSON.stringify(ip)} as an unknown offset in its module`, async () => {
    const threads = [{ frames: [{ ...crashFrame, ip }, { ip }, null, 5, crashFrame] }];
    const { threads: answered } = await askOne({ ...ping, threads });
    const frames = answered[0]?.frames ?? [];
    assert.deepEqual(
      frames.slice(0, 4).map(({ module, module_offset }) => [module, module_offset]),
      [["libstdc++.so.6.0.30", "-0x1"], ...Array.from({ length: 3 }, () => ["<unknown>", "-0x1"])],
    );
    assert.equal(frames[4]?.["function"], "d_print_mod");
  });

test("treats a frame below the base address of its module as one without a module", async () => {
  const threads = [{ frames: [{ ip: 1, module_index: 1 }, crashFrame] }];
  const [bare, known] = (await askOne({ ...ping, threads })).threads[0]?.frames ?? [];
  assert.deepEqual(bare, { frame: 0, module: "<unknown>", module_offset: "0x1" });
  assert.equal(known?.["function"], "d_print_mod");
});

for (const [what, change] of [
  ["crash_address", { crash_address: hex(base + inlined) }],
  ["crashAddress", { crashAddress: base + inlined }],
  ["crash_info", { crash_info: { address: hex(base + inlined), crashing_thread: 1 } }],
] as const)
  test(`answers a crashing thread without frames with one for its ${what}`, async () => {
    const ends = [hex(0x2000), hex(base + 0x200000)];
    const modules = ping.modules.map((module, index) => ({ ...module, end_address: ends[index] }));
    const empty = { ...ping, modules, threads: [{ frames: [] }, { frames: null }], ...change };
    const [first, second] = (await askOne(empty)).threads;
    assert.deepEqual(first?.frames, []);
    const { threads } = await askOne(ping);
    assert.deepEqual(second?.frames, [{ ...threads[1]?.frames[0], trust: "crash_address" }]);
    const crashing = await askOne({ ...empty, threads: [] }, "?thread=crashing");
    assert.deepEqual(crashing.threads, [second]);
  });

test("answers a crash address outside of all modules without one, and an unreadable one not at all", async () => {
  const { threads } = await askOne({ ...ping, crash_address: "0x10", threads: [{}, {}] });
  const bare = { frame: 0, module: "<unknown>", module_offset: "0x10", trust: "crash_address" };
  assert.deepEqual(threads[1]?.frames, [bare]);
  for (const crash_address of [null, "", "somewhere"])
    assert.deepEqual((await askOne({ ...ping, crash_address, threads: [{}, {}] })).threads[1]?.frames, []);
  const known = await askOne({ ...ping, crash_address: "0x10" });
  assert.deepEqual(known.threads, (await askOne(ping)).threads);
});

test("returns inlined calls as frames, innermost first, with inlines=flat", async () => {
  const nested = await askOne(ping);
  const [known, bare] = nested.threads[1]?.frames ?? [];
  const {
    frame: _,
    function_offset,
    inlines,
    ...outermost
  } = known as Record<string, unknown> & { inlines: object[] };
  const { module, module_offset, trust } = outermost;
  const { threads } = await askOne(ping, "?inlines=flat");
  assert.deepEqual(threads[1]?.frames, [
    { frame: 0, module, module_offset, trust, inlined: true, ...inlines[0] },
    { ...outermost, frame: 1, function_offset },
    { ...bare, frame: 2 },
  ]);
  const { stacks } = await askOne(job, "?inlines=flat");
  assert.deepEqual(stacks.map((stack) => stack.map(({ frame, inlined: flag }) => [frame, flag])), [
    [[0, true], [1, undefined]],
    [[0, undefined], [1, true], [2, undefined]],
  ]); // prettier-ignore
  assert.deepEqual(await askOne(ping, "?inlines=nested"), nested);
});

test("returns only the crashed thread and the top frames if the query says so", async () => {
  const { threads } = await askOne(ping);
  const crashing = await askOne(ping, "?thread=crashing");
  assert.deepEqual([crashing.threads, crashing.crash_thread], [[threads[1]], 0]);
  const top = await askOne(ping, "?frames=1&thread=all");
  assert.deepEqual(top.threads, [threads[0], { frames: threads[1]?.frames.slice(0, 1) }]);
  const flat = await askOne(ping, "?frames=1&inlines=flat&thread=crashing");
  assert.equal(flat.threads[0]?.frames.length, 2);
  const { stacks } = (await v5(job)) as Line;
  assert.deepEqual((await askOne(job, "?frames=1&thread=crashing")).stacks, [
    stacks[0],
    stacks[1]?.slice(0, 1),
  ]);
});

for (const [query, title] of [
  ["?line=1", "there is no option line"],
  ["?inlines=nested&Inlines=flat", "there is no option Inlines"],
  ["?inlines=none", "inlines must be nested or flat"],
  ["?inlines=flat&inlines=flat", "inlines must be nested or flat"],
  ["?thread=", "thread must be all or crashing"],
  ...["0", "-1", "1.5", "1e3", "", "all", "9999999999", "1&frames=2"].map(
    (frames) => [`?frames=${frames}`, "frames must be a whole number from 1 to 999999999"] as const,
  ),
] as const)
  // prettier-ignore
  test(`answers 400 to ${query}`, async () => {
    const response = await post(ndjson(job), query);
    assert.deepEqual([response.status, await response.json()], [400, { title }]);
  });

test("answers bad lines in their places, and skips blank ones", async () => {
  const bad = "it is not valid JSON";
  const neither = "it is neither a job nor the stack_traces of a crash ping";
  const result = await v5(job);
  const text = [
    "", "{", JSON.stringify(job), " \t\r", "5", "null", "[]", `"${"x".repeat(100)}"`, "{}", `{"stacks":[]}`, `{"memoryMap":[],"stacks":[]}`,
    `${JSON.stringify(job)}\r`, `{"memoryMap":[[5,"A"]],"stacks":[[]]}`, `{"memoryMap":[],"stacks":[[[0,1]]]}`, `{"jobs":[]}`, "{}{}",
    `${"[".repeat(501)}${"]".repeat(501)}`, "\uFEFF{\"stacks\":[[]],\"memoryMap\":[]}", JSON.stringify(job),
  ].join("\n"); // prettier-ignore
  assert.deepEqual(await ask(text), [
    invalid(bad), result, ...Array.from({ length: 4 }, () => invalid("it is not an object")), invalid(neither), invalid("no memoryMap specified"),
    invalid("no stacks specified"), result, invalid("module index 0 has an invalid debug_filename"),
    invalid("stack 0 frame 0 has a module_index that isn't in modules"), invalid(neither), invalid(bad),
    invalid(bad), { stacks: [[]], found_modules: {} }, result,
  ]); // prettier-ignore
  const notUtf8 = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n{}\n')]);
  assert.deepEqual(await ask(notUtf8), [invalid(bad), invalid(neither)]);
  assert.deepEqual(await ask(""), []);
  assert.deepEqual(await ask("\n\r\n  \n"), []);
});

test("accepts lines up to the limit, and answers a longer one with an error", async () => {
  const line = JSON.stringify(job);
  const result = await v5(job);
  const text = `${line.padEnd(1_000_000)}\n${line.padEnd(1_000_001)}\n${line}\n${"[".repeat(3_000_000)}`;
  const tooLong = invalid("the line is too long");
  assert.deepEqual(await ask(text), [result, tooLong, result, tooLong]);
});

for (const [encoding, compress] of [
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
] as const) {
  // prettier-ignore
  test(`accepts a body in ${encoding}, and reports one that is cut short`, async () => {
    const headers = { "content-encoding": encoding };
    assert.deepEqual(await ask(compress(ndjson(job, job)), "", headers), [await v5(job), await v5(job)]);
    const many = compress(Array.from({ length: 2000 }, () => ndjson({ ...job, noise: randomBytes(400).toString("hex") })).join(""));
    const lines = await ask(many.subarray(0, -many.length / 2), "", headers);
    assert.deepEqual(lines[0], await v5(job));
    assert.ok(lines.length > 100);
    assert.deepEqual(lines.at(-1), {
      error: { title: "the body is incomplete or does not match its Content-Encoding", fatal: true },
    });
    const none = await post("plain", "", headers);
    assert.deepEqual([none.status, Object.keys((await none.json()) as object)], [400, ["title"]]);
  });
}

test("disconnects a client that sends an endless line", async () => {
  for (const bomb of [
    Buffer.alloc(50e6, "\n"),
    Buffer.alloc(50e6, " "),
    Buffer.alloc(50e6, "x\n".padEnd(2e6)),
  ]) {
    const body = Buffer.concat([Buffer.from(ndjson(job)), bomb, Buffer.from(ndjson(job))]);
    const lines = await ask(gzipSync(body), "", { "content-encoding": "gzip" });
    assert.deepEqual(lines[0], await v5(job));
    assert.deepEqual(lines.at(-1), {
      error: { title: "the body has too much text without a usable line", fatal: true },
    });
  }
});

test("answers 415 to other encodings, 405 to other methods, and allows preflights", async () => {
  assert.equal((await post(ndjson(job), "", { "content-encoding": "compress" })).status, 415);
  const get = await fetch(`${service.url}/symbolicate/bulk`);
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST, OPTIONS"]);
  const preflight = await fetch(`${service.url}/symbolicate/bulk`, {
    method: "OPTIONS",
    headers: { "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
  });
  assert.deepEqual(
    [preflight.status, preflight.headers.get("access-control-allow-headers")],
    [200, "content-type"],
  );
});

test("reports each module's outcome with the Debug header", async () => {
  const missing = { ...job, memoryMap: [["missing.so", "A"], ["idle.so", "A"]], stacks: [[[0, 1], [-1, 1]]] }; // prettier-ignore
  const lines = await ask(ndjson(job, missing), "", { debug: "yes" });
  const statuses = lines.map(
    (line) => (line as { debug: { modules: { status_per_module: object } } }).debug.modules,
  );
  assert.deepEqual(statuses, [
    { status_per_module: { [`${libstdc}/${libstdcId}`]: { status: "cached" } } },
    { status_per_module: { "missing.so/A": { status: "not_found", reason: "no source has a sym file" } } },
  ]);
});

/** A request whose body is sent bit by bit. */
function open(
  headers: Record<string, string> = {},
  url = service.url,
): {
  sent: ClientRequest;
  answer: Promise<{ next: () => Promise<unknown>; response: IncomingMessage }>;
} {
  const sent = request(`${url}/symbolicate/bulk`, { method: "POST", headers });
  sent.flushHeaders();
  const answer = once(sent, "response").then(([response]: IncomingMessage[]) => {
    assert.ok(response);
    const isGzipped = response.headers["content-encoding"] === "gzip";
    const input = isGzipped ? response.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH })) : response;
    const lines = createInterface({ input })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? "null") as unknown;
    return { next, response };
  });
  return { sent, answer };
}

for (const [accepted, encoding] of [
  ["identity", undefined],
  ["br, gzip", "gzip"],
  ["gzip;q=0", undefined],
] as const)
  test(`answers each line before the next arrives, to a client that accepts ${accepted}`, async () => {
    const { sent, answer } = open({ "accept-encoding": accepted });
    const result = await v5(job);
    sent.write(ndjson(job));
    const { next, response } = await answer;
    assert.deepEqual([response.statusCode, response.headers["content-encoding"]], [200, encoding]);
    assert.deepEqual(await next(), result);
    // Longer than a request may take.
    for (let time = 0; time < 7; time++) {
      await setTimeout(300);
      sent.write(ndjson(job).slice(0, 20));
      sent.write(ndjson(job).slice(20));
      assert.deepEqual(await next(), result);
    }
    sent.end(JSON.stringify(job));
    assert.deepEqual(await next(), result);
    assert.equal(await next(), null);
  });

test("joins lines that arrive byte by byte", async () => {
  const { sent, answer } = open();
  for (const byte of Buffer.from(ndjson(job, job))) {
    sent.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  sent.end();
  const { next } = await answer;
  const result = await v5(job);
  assert.deepEqual([await next(), await next(), await next()], [result, result, null]);
});

test("ends with an error line if nothing arrives for longer than the request timeout", async () => {
  const { sent, answer } = open();
  sent.on("error", () => {});
  sent.write(`${ndjson(job)}{"stacks"`);
  const { next } = await answer;
  assert.deepEqual(await next(), await v5(job));
  assert.deepEqual(await next(), { error: { title: "408 Request Timeout", fatal: true } });
  assert.equal(await next(), null);
});

test("waits for a client's next lines after responses that took longer than the request timeout", async () => {
  await using server = await SymbolServer.start(async (socket) => {
    await setTimeout(1500);
    socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  await using withoutRetries = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    "server.requestTimeoutMs": "1000",
  });
  // More than are read ahead.
  const count = 300;
  const line = { memoryMap: [["late.so", "A"]], stacks: [[[0, 1]]] };
  const { sent, answer } = open({}, withoutRetries.url);
  sent.write(ndjson(...Array.from({ length: count }, () => line)));
  const { next } = await answer;
  for (let number = 0; number < count; number++) await next();
  sent.end(ndjson(line));
  const found_modules = { "late.so/A": false };
  const stacks = [[{ frame: 0, module: "late.so", module_offset: "0x1" }]];
  assert.deepEqual([await next(), await next()], [{ stacks, found_modules }, null]);
});

test("looks up lines that arrive together in one group, and counts them", async () => {
  await askOne(job);
  // Behind all metrics of what was asked before.
  await fetch(`${service.url}/__version__`);
  await statsd.received(/__version__/);
  statsd.clear();
  const count = 1000;
  const lines = await ask(ndjson(...Array.from({ length: count }, () => job), 5));
  assert.deepEqual(
    lines.slice(0, -1),
    Array.from({ length: count }, () => lines[0]),
  );
  assert.equal(lines.length, count + 1);
  for (const last of [/pageview/, /result:bad/, /result:answered/]) await statsd.received(last);
  const metrics = await statsd.received(/bulk.stream/);
  assert.deepEqual(metrics, [
    "eliot.bulk.lines:#|c|#host:testhost,result:answered",
    "eliot.bulk.lines:#|c|#host:testhost,result:bad",
    "eliot.bulk.stream:#|ms|#end:whole,host:testhost",
    "eliot.diskcache.get:#|h|#host:testhost,result:hit",
    "eliot.pageview:#|c|#host:testhost,method:post,path:/symbolicate/bulk",
  ]);
  assert.ok(statsd.count("diskcache.get") < count / 10, `${statsd.count("diskcache.get")} lookups`);
  const summary = service.log.findLast(({ Type }) => Type === "request.summary")?.Fields;
  assert.deepEqual([summary?.["lines"], summary?.["bad_lines"], summary?.["end"]], [count + 1, 1, "whole"]);
});

test("keeps responses in order if the symbols of an earlier line are late", async () => {
  const goOn = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const lateId = "0123456789ABCDEF0123456789ABCDEF0";
  const symFile = `MODULE Linux x86_64 ${lateId} late.so\nFUNC 0 10 0 late\n`;
  await using server = await SymbolServer.start(async (socket) => {
    asked.resolve();
    await goOn.promise;
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${symFile.length}\r\n\r\n${symFile}`);
  });
  await using slow = await startTestService({ ELIOT_SYMBOLS_URLS: `${sampleSymbols},${server.url}` });
  const late = { memoryMap: [["late.so", lateId]], stacks: [[[0, 1]]] };
  const body = ndjson(late, ...Array.from({ length: 500 }, () => job));
  const response = slow.post("/symbolicate/bulk", body);
  await asked.promise;
  goOn.resolve();
  const lines = (await (await response).text()).split("\n").slice(0, -1);
  assert.match(lines[0] ?? "", /"function":"late"/);
  assert.equal(lines.length, 501);
  assert.ok(lines.slice(1).every((line) => line.includes("d_print_mod")));
});

/** So many frames where 5,000 calls are inlined in each other. */
async function deepJob(frames: number) {
  const debugId = "0123456789ABCDEF0123456789ABCDEF0";
  const folder = join(symbols.path, "deep.so", debugId);
  await mkdir(folder, { recursive: true });
  const inlines = Array.from({ length: 5000 }, (_, level) => `INLINE ${level} 1 0 0 10 10`);
  const records = ["FILE 0 a.c", "INLINE_ORIGIN 0 g", "FUNC 10 10 0 f", ...inlines, "10 10 2 0"];
  await writeFile(
    join(folder, "deep.so.sym"),
    [`MODULE Linux x86_64 ${debugId} deep.so`, ...records, ""].join("\n"),
  );
  return { memoryMap: [["deep.so", debugId]], stacks: [Array.from({ length: frames }, () => [0, 0x10])] };
}

test("answers a line whose response would be too large with an error, and the others as usual", async () => {
  const tooLarge = { error: { title: "the answer would be too large: ask for fewer frames" } };
  const small = await deepJob(1);
  // 5,001 rows a frame: over 2 MB of JSON, and over the 16 million that a lookup gives.
  for (const frames of [20, 4000]) {
    const lines = await ask(ndjson(small, await deepJob(frames), job, small));
    assert.deepEqual([lines[1], lines[2], lines[3]], [tooLarge, await v5(job), lines[0]]);
  }
});

test("leaves modules overloaded whose results exceed the memory limit, and answers the other lines as usual", async () => {
  await using small = await startTestService({
    ELIOT_SYMBOLS_URLS: `${sampleSymbols},file://${symbols.path}`,
    ELIOT_MAX_BODY_SIZE: "1mb",
    ELIOT_MAX_BODIES_SIZE: "9.5mb",
  });
  const response = await small.post("/symbolicate/bulk", ndjson(await deepJob(20), job), { debug: "true" });
  const lines = (await response.text()).split("\n");
  assert.match(lines[0] ?? "", /"status":"overloaded"/);
  assert.match(lines[1] ?? "", /d_print_mod/);
});

test("answers 503 if the request limit is reached, and accepts streams again later", async () => {
  await using small = await startTestService({ ELIOT_MAX_REQUESTS: "2" });
  const streams = Array.from({ length: 2 }, () =>
    request(`${small.url}/symbolicate/bulk`, { method: "POST" }),
  );
  for (const stream of streams) {
    stream.on("error", () => {});
    stream.write(ndjson(job));
    await once(stream, "response");
  }
  const refused = await small.post("/symbolicate/bulk", ndjson(job));
  assert.deepEqual([refused.status, await refused.json()], [503, { title: "503 Service Unavailable" }]);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  const single = await small.post("/symbolicate/v5", JSON.stringify(job));
  assert.equal(single.status, 200, "bulk requests do not use up the limit of v5");
  for (const stream of streams) stream.destroy();
  let status;
  do ({ status } = await small.post("/symbolicate/bulk", ndjson(job)));
  while (status === 503);
  assert.equal(status, 200);
  assert.equal(small.log.filter(({ Fields }) => Fields["end"] === "left").length, 2);
});

test("ends a stream with a line that exceeds the memory limit", async () => {
  await using small = await startTestService({ ELIOT_MAX_BODIES_SIZE: "4mb" });
  const response = await small.post("/symbolicate/bulk", `${JSON.stringify(job)}\n`.padEnd(2e6, "x"));
  const lines = (await response.text()).trim().split("\n");
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), {
    error: { title: "503 Service Unavailable", fatal: true },
  });
  assert.equal((await small.post("/symbolicate/bulk", ndjson(job))).status, 200);
});
