import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { sampleSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { run } from "../support/commandLine.ts";

const cache = await temporaryFolder();
after(() => cache[Symbol.asyncDispose]());
const env = { ELIOT_SYMBOLS_URLS: sampleSymbols, ELIOT_SYMBOLS_CACHE_DIR: cache.path };

const modules = [
  {
    base_address: "0x7f0000000000",
    end_address: "0x7f0000200000",
    debug_file: "libstdc++.so.6",
    debug_id: "0CEFB84AE0DEB3F9900D2B90425BB3280",
    filename: "libstdc++.so.6",
  },
  {
    base_address: "0x7e0000000000",
    end_address: "0x7e0000100000",
    debug_file: "no.pdb",
    debug_id: "AB",
    filename: "no.dll",
  },
];
const crashedFrames = [
  { ip: "0x7f00000c619a", module_index: 0, trust: "context" },
  { ip: "0x7e0000001234", module_index: 1, trust: "scan" },
  { ip: "0x1234", trust: "scan" },
];
const otherFrames = [{ ip: "0x7f00000c5194", module_index: 0, trust: "context" }];
const stackTraces = {
  crash_type: "SIGSEGV",
  crash_address: "0x0",
  crash_thread: 1,
  modules,
  threads: [{ frames: otherFrames }, { frames: crashedFrames }],
};

/** The spelling of pings from Android. */
function inCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      inCamelCase(part),
    ]),
  );
}

const modulesOfMinidump = modules.map(({ base_address, end_address, ...rest }) => ({
  base_addr: base_address,
  end_addr: end_address,
  ...rest,
  missing_symbols: true,
  loaded_symbols: false,
}));

/** The spelling of telemetry before Glean. */
const oldStackTraces = {
  status: "OK",
  crash_info: { type: "SIGSEGV", address: "0x0", crashing_thread: 1 },
  main_module: 0,
  modules: modulesOfMinidump,
  threads: stackTraces.threads,
};

const unknown = { function: null, function_offset: null, file: null, line: null, inlines: null };
const minidumpFrames = [
  {
    frame: 0,
    trust: "context",
    module: "libstdc++.so.6",
    module_offset: "0x00000000000c619a",
    offset: "0x00007f00000c619a",
    ...unknown,
    missing_symbols: true,
  },
  {
    frame: 1,
    trust: "scan",
    module: "no.dll",
    module_offset: "0x0000000000001234",
    offset: "0x00007e0000001234",
    ...unknown,
    function: "known before",
    file: "hg:hg.mozilla.org/mozilla-central:dom/a.cpp:0123456789ab",
    line: 5,
    missing_symbols: false,
  },
  { frame: 2, trust: "scan", module: null, module_offset: null, offset: "0x1234", ...unknown },
  { truncated: { msg: "502 frames truncated" } },
  {},
];
const minidump = {
  status: "OK",
  crash_info: oldStackTraces.crash_info,
  crashing_thread: {
    threads_index: 1,
    frames: minidumpFrames.map((frame, number) =>
      number === 0 ? { ...frame, registers: { rip: "0x00007f00000c619a" } } : frame,
    ),
  },
  modules: modulesOfMinidump,
  threads: [
    { thread_name: "main", frames: [] },
    { thread_name: "worker", frames: minidumpFrames },
  ],
};

const directory = "/build/reproducible-path/gcc-12-12.2.0/build/x86_64-linux-gnu/libstdc++-v3/libsupc++";
const frames = [
  `    0    d_append_char  ${directory}/cp-demangle.c:4368  (inlined)`,
  `       d_print_mod  ${directory}/cp-demangle.c:6153  in libstdc++.so.6`,
];
const outcomes = [
  "",
  "modules",
  "  found      libstdc++.so.6 0CEFB84AE0DEB3F9900D2B90425BB3280",
  "  not found  no.pdb AB: no source has a sym file",
  "",
];
const symbols = {
  function: "d_print_mod",
  function_offset: "0x74a",
  file: `${directory}/cp-demangle.c`,
  line: 6153,
  inlines: [{ function: "d_append_char", file: `${directory}/cp-demangle.c`, line: 4368 }],
};

for (const [what, crash] of [
  ["stack traces", stackTraces],
  ["stack traces from Android", inCamelCase(stackTraces)],
  ["a Glean ping", { ping_info: {}, metrics: { object: { "crash.stack_traces": stackTraces } } }],
  ["a telemetry ping", { type: "crash", payload: { stackTraces: oldStackTraces } }],
  ["a table row", { document_id: "1", stack_traces: JSON.stringify(stackTraces) }],
  ["a row of BigQuery", { document_id: "1", crash_stack_traces: JSON.stringify(stackTraces) }],
] as const) {
  test(`prints the crashed thread of ${what}`, async () => {
    const lines = ["Crash ping: SIGSEGV at 0x0", "", "Thread 1 (crashed)", ...frames];
    const rest = [
      "    1  0x1234  in no.dll",
      "    2  0x1234",
      "",
      "1 more thread: --threads all",
      ...outcomes,
    ];
    const stdout = [...lines, ...rest].join("\n");
    assert.deepEqual(await run(["symbolicate"], { input: JSON.stringify(crash), env }), {
      code: 0,
      stdout,
      stderr: "",
    });
  });
}

test("prints all threads of minidump-stackwalk's output, and the functions that it names itself", async () => {
  const { code, stdout } = await run(["symbolicate", "--threads", "all"], {
    input: JSON.stringify(minidump),
    env,
  });
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n"), [
    "Minidump: SIGSEGV at 0x0",
    "",
    "Thread 0: main",
    "  no frames",
    "",
    "Thread 1: worker (crashed)",
    ...frames,
    "    1  known before  dom/a.cpp:5  in no.dll",
    "    2  0x1234",
    "    3  502 frames truncated",
    "    4  <unknown>",
    ...outcomes,
  ]);
});

test("says that no thread crashed, and prints all threads", async () => {
  const crash_info = { type: null, address: null, crashing_thread: null };
  const input = JSON.stringify({ ...minidump, crash_info, crashing_thread: null });
  const { code, stdout } = await run(["symbolicate"], { input, env });
  assert.equal(code, 0);
  const start = [
    "Minidump: no thread crashed",
    "",
    "Thread 0: main",
    "  no frames",
    "",
    "Thread 1: worker",
    ...frames,
  ];
  assert.deepEqual(stdout.split("\n").slice(0, start.length), start);
});

for (const [what, crash, key] of [
  ["a ping", { ...stackTraces, crash_address: "0x7f00000c619a" }, "ip"],
  [
    "a ping from Android",
    inCamelCase({ ...stackTraces, crash_address: "0x7f00000c619a" }) as typeof stackTraces,
    "ip",
  ],
  [
    "minidump-stackwalk's output",
    { ...minidump, crash_info: { ...minidump.crash_info, address: "0x7f00000c619a" } },
    "offset",
  ],
] as const)
  test(`symbolicates the crash address of ${what} whose crashed thread has no frames`, async () => {
    const input = JSON.stringify({ ...crash, threads: [{ frames: [] }, {}], crashing_thread: undefined });
    const { stdout } = await run(["symbolicate"], { input, env });
    assert.deepEqual(stdout.split("\n").slice(2, 5), ["Thread 1 (crashed)", ...frames]);
    const { threads } = JSON.parse(
      (await run(["symbolicate", "--json"], { input, env })).stdout,
    ) as typeof crash;
    const module = { module: "libstdc++.so.6", module_offset: "0xc619a" };
    const frame = { [key]: "0x7f00000c619a", trust: "crash_address", ...module, ...symbols };
    assert.deepEqual(threads, [{ frames: [] }, { frames: [frame] }]);
  });

test("symbolicates a crash though a module and some frames are broken", async () => {
  const broken = [
    null,
    { ip: null, module_index: 0 },
    { ip: "0x1", module_index: 0 },
    { ip: "0x5", module_index: 2 },
  ];
  const threads = [{ frames: [...broken, crashedFrames[0]] }];
  const traces = { crash_thread: 0, modules: [...modules, { ...modules[0], base_address: null }], threads };
  const { code, stdout } = await run(["symbolicate"], { input: JSON.stringify(traces), env });
  assert.equal(code, 0);
  assert.deepEqual(stdout.split("\n").slice(3, 9), [
    "    0  <unknown>",
    "    1  <unknown>  in libstdc++.so.6",
    "    2  0x1",
    "    3  0x5",
    ...frames.map((line) => line.replace("  0 ", "  4 ")),
  ]);
});

test("adds symbols to all threads of a ping", async () => {
  const ping = { ping_info: { seq: 1 }, metrics: { object: { "crash.stack_traces": stackTraces } } };
  await using service = await startTestService();
  const { code, stdout, stderr } = await run(["symbolicate", "--json", "--url", service.url], {
    input: JSON.stringify(ping),
  });
  assert.deepEqual(
    [code, stderr],
    [0, "1 of 2 modules have symbols; missing: no.pdb (no source has a sym file)\n"],
  );
  const written = JSON.parse(stdout) as typeof ping;
  const [first, second, third] = crashedFrames;
  const traces = written.metrics.object["crash.stack_traces"];
  assert.deepEqual(traces.threads[1]?.frames, [
    { ...first, module: "libstdc++.so.6", module_offset: "0xc619a", ...symbols },
    { ...second, module: "no.dll", module_offset: "0x1234" },
    third,
  ]);
  assert.match(JSON.stringify(traces.threads[0]), /"function":"d_print_comp_inner"/);
  assert.deepEqual({ ...traces, threads: [] }, { ...stackTraces, threads: [] });
  assert.deepEqual(written.ping_info, { seq: 1 });
});

test("keeps stack traces that are JSON text as text", async () => {
  const input = JSON.stringify({ document_id: "1", stack_traces: JSON.stringify(stackTraces) });
  const { stdout } = await run(["symbolicate", "--json"], { input, env });
  const { stack_traces: text } = JSON.parse(stdout) as { stack_traces: string };
  const { threads } = JSON.parse(text) as { threads: { frames: { function: string }[] }[] };
  assert.equal(threads[1]?.frames[0]?.function, "d_print_mod");
});

test("adds symbols to a processed crash, including the copy of its crashing thread", async () => {
  const crash = { uuid: "1", json_dump: minidump };
  const { code, stdout } = await run(["symbolicate", "--json"], { input: JSON.stringify(crash), env });
  assert.equal(code, 0);
  const { json_dump: dump } = JSON.parse(stdout) as typeof crash;
  const [first, ...rest] = minidumpFrames;
  const expected = [{ ...first, ...symbols, missing_symbols: false }, ...rest];
  assert.deepEqual(dump.threads[1]?.frames, expected);
  const { registers } = minidump.crashing_thread.frames[0] as { registers: object };
  assert.deepEqual(dump.crashing_thread.frames, [{ ...expected[0], registers }, ...expected.slice(1)]);
  const [found, ...others] = modulesOfMinidump;
  assert.deepEqual(dump.modules, [{ ...found, missing_symbols: false, loaded_symbols: true }, ...others]);
});

test("adds symbols to the crashing thread of old versions of minidump-stackwalk, and to its copy", async () => {
  const { threads_index: thread_index, frames: copies } = minidump.crashing_thread;
  const crash = {
    ...minidump,
    crash_info: { type: "SIGSEGV" },
    crashing_thread: { thread_index, frames: copies },
  };
  const { stdout } = await run(["symbolicate", "--json"], { input: JSON.stringify(crash), env });
  const { threads, crashing_thread } = JSON.parse(stdout) as typeof crash;
  assert.equal(
    threads[1]?.frames[0] && "function" in threads[1].frames[0] && threads[1].frames[0].function,
    "d_print_mod",
  );
  const { registers } = minidump.crashing_thread.frames[0] as { registers: object };
  assert.deepEqual(crashing_thread.frames[0], { ...threads[1]?.frames[0], registers });
});

test("finds the symbols of a module without a debug id by its code id", async () => {
  await using folder = await temporaryFolder();
  const symFolder = join(folder.path, "app.dll", "64E782C570C4000");
  await mkdir(symFolder, { recursive: true });
  const symFile = "MODULE windows x86_64 0123456789ABCDEF0123456789ABCDEF1 app.pdb\nFUNC 1000 20 0 main\n";
  await writeFile(join(symFolder, "app.sym"), symFile);
  const noId = {
    debug_file: "",
    debug_id: "0".repeat(33),
    filename: "C:\\x\\app.dll",
    code_id: "64e782c570c4000",
  };
  const crash = {
    crash_info: { type: "OOM", crashing_thread: 0 },
    modules: [{ base_addr: "0x100000000", end_addr: "0x100100000", missing_symbols: true, ...noId }],
    threads: [{ frames: [{ module: "C:\\x\\app.dll", offset: "0x100001010", module_offset: "0x1010" }] }],
  };
  const args = ["symbolicate", "--symbols", folder.path];
  const input = JSON.stringify(crash);
  const { stdout } = await run(args, { input, env });
  assert.deepEqual(stdout.split("\n").slice(3), [
    "    0  main  in C:\\x\\app.dll",
    "",
    "modules",
    "  found      app.dll 64e782c570c4000",
    "",
  ]);
  const { modules: written, threads } = JSON.parse(
    (await run([...args, "--json"], { input, env })).stdout,
  ) as typeof crash;
  assert.deepEqual(written, [{ ...crash.modules[0], missing_symbols: false }]);
  assert.deepEqual(threads[0]?.frames, [
    { ...crash.threads[0]?.frames[0], function: "main", function_offset: "0x10" },
  ]);
});

test("removes the old file, line and inlined calls of a function that it replaces", async () => {
  const stale = {
    ...minidumpFrames[0],
    function: "old",
    file: "old.c",
    line: 1,
    inlines: [{ function: "older" }],
  };
  const offset = "0x00007f00000c5b0d";
  const crash = {
    ...minidump,
    threads: [{ frames: [{ ...stale, module_offset: "0xc5b0d", offset }] }],
    crashing_thread: null,
  };
  const { stdout } = await run(["symbolicate", "--json"], { input: JSON.stringify(crash), env });
  const { threads } = JSON.parse(stdout) as { threads: { frames: Record<string, unknown>[] }[] };
  const [frame = {}] = threads[0]?.frames ?? [];
  assert.notEqual(frame["function"], "old");
  assert.notEqual(frame["file"], "old.c");
  assert.doesNotMatch(JSON.stringify(frame["inlines"] ?? ""), /older/);
});
