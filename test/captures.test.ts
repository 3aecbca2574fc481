import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Capture } from "../src/captures/capture.ts";
import { readCapture } from "../src/captures/readCapture.ts";
import { readText } from "../src/captures/readText.ts";
import { UnreadableCapture } from "../src/captures/unreadableCapture.ts";
import { sourceFile } from "../src/captures/sourceFile.ts";
import { stackText } from "../src/captures/stackText.ts";
import { symbolicateCapture } from "../src/captures/symbolicateCapture.ts";
import { zip } from "./support/zip.ts";
import * as sample from "./page/sampleCaptures.ts";

const { firefox, xul } = sample;

function read(value: unknown): Capture {
  const capture = readCapture(JSON.stringify(value));
  assert.ok(capture);
  return capture;
}

/** Frames as `module+offset`, or the function that the capture itself names. */
function framesOf(capture: Capture, thread = 0, stack = 0): string[] {
  return (capture.threads[thread]?.stacks[stack]?.frames ?? []).map(
    ({ moduleIndex, moduleOffset, known }) => {
      if (moduleIndex >= 0) return `${capture.memoryMap[moduleIndex]?.[0]}+0x${moduleOffset.toString(16)}`;
      return known.function ?? `0x${moduleOffset.toString(16)}`;
    },
  );
}

const profiles = {
  "of version 50": sample.processedProfile,
  "of version 70, with shared tables": sample.sharedProfile,
  "in Gecko's format": sample.geckoProfile,
  "of version 37, with return addresses": {
    ...sample.processedProfile,
    meta: { preprocessedProfileVersion: 37 },
    threads: sample.processedProfile.threads.map((thread) => ({
      ...thread,
      frameTable: { ...thread.frameTable, address: [-1, 0x1010, 0x2021, -1, 0x45] },
    })),
  },
  "with a process that Gecko stored as JSON text": {
    meta: { version: 3 },
    libs: "[]",
    threads: [JSON.stringify({ ...sample.geckoProfile, libs: JSON.stringify(sample.geckoProfile.libs) })],
  },
};
for (const [name, profile] of Object.entries(profiles))
  test(`reads the stacks of a profile ${name}, most frequently sampled first`, () => {
    const capture = read(profile);
    assert.deepEqual(
      capture.threads[0]?.stacks.map(({ samples }) => samples),
      [3, 1],
    );
    const first = framesOf(capture);
    assert.deepEqual(first, ["libxul.so+0x1010", "libxul.so+0x2020", "frobnicate", "firefox+0x44", "(root)"]);
    const { known } = capture.threads[0]?.stacks[0]?.frames[2] ?? {};
    assert.deepEqual(known, { function: "frobnicate", file: "chrome://browser/content/x.js", line: 34 });
  });

test("uses a sampled address as it is, and the byte before a return address", () => {
  const [thread] = sample.geckoProfile.threads;
  const twice = { ...thread, samples: { schema: { stack: 0 }, data: [[4], [3]] } };
  const capture = read({ ...sample.geckoProfile, threads: [twice] });
  assert.equal(framesOf(capture, 0, 0)[1], "libxul.so+0x2020");
  assert.equal(framesOf(capture, 0, 1)[0], "libxul.so+0x2021");
});

test("merges inlined calls of a symbolicated profile into their frame", () => {
  const { threads, ...profile } = sample.processedProfile;
  const [thread] = threads;
  const capture = read({
    ...profile,
    threads: [
      {
        ...thread,
        stringArray: ["(root)", "Vec::push", "RawVec::grow", "frobnicate", "grow.rs", "main"],
        frameTable: {
          ...thread?.frameTable,
          address: [-1, 0x1010, 0x1010, -1, 0x44],
          inlineDepth: [0, 0, 1, 0, 0],
        },
        stackTable: { frame: [0, 4, 1, 2], prefix: [null, 0, 1, 2] },
        samples: { stack: [3] },
      },
    ],
  });
  const [frame] = capture.threads[0]?.stacks[0]?.frames ?? [];
  assert.deepEqual(frame?.known, { function: "Vec::push", inlines: [{ function: "RawVec::grow" }] });
  assert.deepEqual(framesOf(capture), ["libxul.so+0x1010", "firefox+0x44", "(root)"]);
});

test("adds up sample weights, but not weights in bytes", () => {
  const { threads, ...profile } = sample.processedProfile;
  const weighed = (weightType: string) =>
    read({
      ...profile,
      threads: threads.map((thread) => ({
        ...thread,
        samples: { stack: [4, 3, 4], weight: [10, 25, null], weightType },
      })),
    }).threads[0]?.stacks.map(({ samples }) => samples);
  assert.deepEqual(weighed("samples"), [25, 11]);
  assert.deepEqual(weighed("bytes"), [2, 1]);
});

test("identifies modules of the oldest profiles by signature and age", () => {
  const { libs: _, ...profile } = sample.geckoProfile;
  const libs = [
    {
      name: "C:\\x.dll",
      pdbName: "x.pdb",
      pdbSignature: "{10000000-0000-0000-0000-0000000000a2}",
      pdbAge: 10,
    },
    { name: "/usr/lib/libc.so.6", breakpadId: "AB" },
  ];
  assert.deepEqual(read({ ...profile, libs }).memoryMap, [
    ["x.pdb", "100000000000000000000000000000A2a"],
    ["libc.so.6", "AB"],
  ]);
});

for (const [what, module, expected] of [
  ["a macOS path", { debug_file: "/Applications/X.app/Contents/MacOS/XUL" }, "XUL"],
  ["a Windows path", { debug_file: "C:\\x\\xul.pdb" }, "xul.pdb"],
  ["an empty debug file", { debug_file: "", filename: "C:\\x\\libplug.dll" }, "libplug.dll"],
  ["a null debug file", { debug_file: null, filename: "libplug.dll" }, "libplug.dll"],
  ["a path in camelCase", { debugFile: "/usr/lib/libc.so.6" }, "libc.so.6"],
] as const)
  test(`looks up the module of a crash with ${what} by file name`, () => {
    const modules = [{ base_address: "0x1000", debug_id: "AB", debugId: "AB", ...module }];
    const { memoryMap } = read({ modules, threads: [{ frames: [{ ip: "0x1001", module_index: 0 }] }] });
    assert.deepEqual(memoryMap, [[expected, "AB"]]);
  });

const buildId = "f0fa1014d93a2125 1450ae25e0cb9ae5 01234567".replaceAll(" ", "");
for (const [what, module, expected] of [
  [
    "a Windows code id",
    { filename: "C:\\x\\app.dll", code_id: "64e782c570c4000" },
    ["app.dll", "64e782c570c4000"],
  ],
  [
    "a Windows code id in camelCase",
    { filename: "app.dll", codeId: "64e782c570c4000" },
    ["app.dll", "64e782c570c4000"],
  ],
  [
    "a debug file and a code id",
    { debug_file: "app.pdb", filename: "app.dll", code_id: "64E782C570C4000" },
    ["app.dll", "64E782C570C4000"],
  ],
  [
    "only a debug file and a code id",
    { debug_file: "app.dll", code_id: "64E782C570C4000" },
    ["app.dll", "64E782C570C4000"],
  ],
  [
    "a build id",
    { debug_file: "libxul.so", filename: "base.apk", code_id: buildId },
    ["libxul.so", xul.debugId],
  ],
  [
    "a short build id",
    { filename: "/usr/lib/libxul.so", code_id: buildId.slice(0, 32).toUpperCase() },
    ["libxul.so", xul.debugId],
  ],
  ["no id", { filename: "libxul.so", code_id: "" }, ["libxul.so", ""]],
  ["a code id of zeros", { filename: "libxul.so", code_id: "000000000000" }, ["libxul.so", ""]],
] as const)
  test(`identifies a module of a crash with ${what} and without a debug id`, () => {
    for (const debug_id of [undefined, null, "", "0".repeat(33)]) {
      const { memoryMap } = read({ modules: [{ ...module, debug_id }], threads: [] });
      assert.deepEqual(memoryMap, [expected]);
    }
    const { memoryMap } = read({ modules: [{ ...module, debug_id: "AB" }], threads: [] });
    assert.equal(memoryMap[0]?.[1], "AB");
  });

test("identifies a library of a profile without a debug id by its code id", () => {
  const lib = {
    name: "app.dll",
    debugName: "app.pdb",
    breakpadId: "0".repeat(33),
    codeId: "64e782c570c4000",
  };
  const { memoryMap } = read({ ...sample.processedProfile, libs: [lib] });
  assert.deepEqual(memoryMap, [["app.dll", "64e782c570c4000"]]);
});

test("reads a null breakpadId, of code compiled at run time, as no debug id", () => {
  const libs = [{ name: "jitted-1.so", debugName: "jitted-1.so", breakpadId: null }];
  const { memoryMap } = read({ ...sample.processedProfile, libs });
  assert.deepEqual(memoryMap, [["jitted-1.so", ""]]);
});

test("reads a processed profile without threads as one", () => {
  const profile = { meta: { preprocessedProfileVersion: 50 }, libs: [], threads: [] };
  assert.equal(read(profile).format, "Firefox profile");
});

const usable = {
  base_address: "0x1000",
  end_address: "0x2000",
  debug_file: "a",
  debug_id: "AB",
  filename: "a",
};
for (const [what, module, frame, expected] of [
  ["a null base", { ...usable, base_address: null }, { ip: "0x1010", module_index: 0 }, "0x1010"],
  [
    "a broken base",
    { ...usable, base_addr: "0xhello", base_address: null },
    { ip: "0x1010", module_index: 0 },
    "0x1010",
  ],
  ["a null module", null, { ip: "0x1010", module_index: 0 }, "0x1010"],
  ["an index out of range", usable, { ip: "0x1010", module_index: 2 }, "0x1010"],
  ["an ip below the base", usable, { ip: "0x10", module_index: 0 }, "0x10"],
  ["a null ip", usable, { ip: null, module_index: 0 }, "a+0x-1"],
  ["a null frame", usable, null, "0x-1"],
] as const)
  test(`reads a crash with ${what}, which costs only that frame`, () => {
    const threads = [{ frames: [frame, { ip: "0x1010", module_index: 1 }] }];
    assert.deepEqual(framesOf(read({ modules: [module, usable], threads })), [expected, "a+0x10"]);
  });

for (const [what, traces] of [
  ["a ping", { crash_thread: 1, crash_address: "0x1010" }],
  ["a ping in camelCase", { crashThread: 1, crashAddress: 0x1010 }],
  ["minidump-stackwalk's output", { crash_info: { crashing_thread: 1, address: "0x0000000000001010" } }],
] as const)
  test(`reads the crash address of ${what} as the only frame of a crashed thread without frames`, () => {
    const capture = read({ modules: [usable], threads: [{ frames: [] }, { frames: [] }], ...traces });
    assert.deepEqual([framesOf(capture, 0), framesOf(capture, 1)], [[], ["a+0x10"]]);
    assert.equal(capture.threads[1]?.stacks[0]?.frames[0]?.trust, "crash_address");
  });

for (const crash of [
  { crash_thread: null },
  { crash_info: { type: null, crashing_thread: null }, crashing_thread: null },
  { crash_info: { type: null } },
])
  test(`reads ${JSON.stringify(crash)} as a process in which no thread crashed`, () => {
    const { reason, threads } = read({ modules: [], threads: [{ frames: [] }], ...crash });
    assert.deepEqual([reason, threads[0]?.isCrashed], ["no thread crashed", false]);
  });

test("reads a ping that does not name the crashed thread as one whose first thread crashed", () => {
  const { reason, threads } = read({ modules: [], threads: [{ frames: [] }, { frames: [] }] });
  assert.equal(reason, undefined);
  assert.deepEqual(
    threads.map(({ isCrashed }) => isCrashed),
    [true, false],
  );
});

test("finds the crashed thread in the output of old versions of minidump-stackwalk", () => {
  const threads = [{ frames: [] }, { frames: [] }];
  const { threads: all } = read({ modules: [], threads, crashing_thread: { thread_index: 1, frames: [] } });
  assert.deepEqual(
    all.map(({ isCrashed }) => isCrashed),
    [false, true],
  );
});

const camelCase = JSON.parse(
  JSON.stringify(sample.crashPing.payload.stack_traces)
    .replaceAll("base_address", "baseAddress")
    .replaceAll("debug_file", "debugFile")
    .replaceAll("debug_id", "debugId")
    .replaceAll("module_index", "moduleIndex")
    .replaceAll("crash_thread", "crashThread")
    .replaceAll("crash_type", "crashType")
    .replaceAll("crash_address", "crashAddress"),
) as unknown;
const traces = sample.crashPing.payload.stack_traces;
const crashes = {
  "crash ping": sample.crashPing,
  "crash ping of Glean": { metrics: { object: { "crash.stack_traces": traces } } },
  "crash ping in BigQuery's spelling": { metrics: { object: { crash_stack_traces: traces } } },
  "crash ping of Android": { stackTraces: camelCase },
  "crash ping's stackTraces as JSON": { payload: { stackTraces: JSON.stringify(traces) } },
  "stack_traces alone": traces,
};
for (const [name, crash] of Object.entries(crashes))
  test(`reads the stacks of a ${name}`, () => {
    const capture = read(crash);
    assert.equal(capture.reason, "SIGSEGV / SEGV_MAPERR at 0x0");
    assert.deepEqual(capture.memoryMap, [
      [xul.debugFilename, xul.debugId],
      [firefox.debugFilename, firefox.debugId],
    ]);
    assert.deepEqual(
      capture.threads.map(({ name: thread, isCrashed }) => [thread, isCrashed]),
      [
        ["Thread 0", false],
        ["Thread 1", true],
      ],
    );
    assert.deepEqual(framesOf(capture, 0), ["firefox+0x44"]);
    assert.deepEqual(framesOf(capture, 1), [
      ...["1010", "2020", "3030", "4040", "5050"].map((offset) => `libxul.so+0x${offset}`),
      "0xdeadbeef",
    ]);
  });

for (const [format, crash] of Object.entries({
  "Processed crash": sample.processedCrash,
  Minidump: sample.minidump,
}))
  test(`reads the stacks of a ${format}`, () => {
    const capture = read(crash);
    assert.deepEqual(
      [capture.format, capture.reason, capture.threads[0]?.name, capture.threads[0]?.isCrashed],
      [format, "EXCEPTION_ACCESS_VIOLATION_READ at 0x00000045", "Thread 0: MainThread", true],
    );
    assert.equal(framesOf(capture).at(-1), "firefox+0x44");
    assert.deepEqual(capture.threads[0]?.stacks[0]?.frames.at(-1)?.known, {
      function: "main",
      file: "browser/app/nsBrowserApp.cpp",
      line: 321,
      inlines: [{ function: "do_main", file: "browser/app/nsBrowserApp.cpp", line: 120 }],
    });
  });

test("tells modules with the same name apart by address", () => {
  const module = (base: number, id: string) => ({
    base_addr: `0x${base.toString(16)}`,
    end_addr: `0x${(base + 0x1000).toString(16)}`,
    debug_file: "a.pdb",
    debug_id: id,
    filename: "a.dll",
  });
  const capture = read({
    modules: [module(0x1000, "A"), module(0x8000, "B")],
    threads: [
      { frames: [{ module: "a.dll", offset: "0x8010", module_offset: "0x10" }, { module: "a.dll" }] },
    ],
  });
  const frames = capture.threads[0]?.stacks[0]?.frames;
  assert.deepEqual(
    frames?.map(({ moduleIndex, moduleOffset }) => [moduleIndex, moduleOffset]),
    [
      [1, 0x10],
      [0, -1],
    ],
  );
});

for (const request of [{ jobs: [] }, { memoryMap: [], stacks: [] }, { stacks: [], version: 4 }])
  test(`leaves ${JSON.stringify(request)} to the service`, () => {
    assert.equal(readCapture(JSON.stringify(request)), undefined);
  });

const [geckoThread] = sample.geckoProfile.threads;
const unreadable = {
  "text that is not JSON": "{",
  "a number": "5",
  null: "null",
  "JSON of another tool": '{"traceEvents": []}',
  "a profile without tables": '{"meta": {}, "threads": [{"funcTable": {}, "samples": {"stack": []}}]}',
  "a profile whose callers form a cycle": JSON.stringify({
    ...sample.geckoProfile,
    threads: [
      {
        ...geckoThread,
        stackTable: {
          ...geckoThread?.stackTable,
          data: [
            [4, 0],
            [0, 1],
            [1, 2],
            [2, 3],
            [3, 4],
          ],
        },
      },
    ],
  }),
};
for (const [what, text] of Object.entries(unreadable))
  test(`rejects ${what} with an explanation`, () => {
    assert.throws(() => readCapture(text), UnreadableCapture);
  });

test("reads plain, gzipped and zipped files, and rejects one that is cut short", async () => {
  const text = JSON.stringify({ é: Array.from({ length: 5000 }, (_, index) => (index * 7919) % 1009) });
  const compressed = [
    gzipSync(text),
    zip({ "profile.json": text }),
    zip({ "folder/": "", "folder/profile.json": text }),
    zip({ "profile.json": text, "__MACOSX/._profile.json": "attributes" }),
  ];
  for (const bytes of [Buffer.from(text), ...compressed])
    assert.equal(await readText(new Blob([bytes])), text);
  for (const bytes of compressed)
    for (const length of [bytes.length - 4, bytes.length / 2, 5])
      await assert.rejects(readText(new Blob([bytes.subarray(0, length)])), UnreadableCapture);
});

test("says what to do about files that a page can't read", async () => {
  const zipWith = (signature: string, offset: number, value: number) => {
    const bytes = zip({ "a.json": "{}" });
    bytes.writeUInt32LE(value, bytes.indexOf(signature, "latin1") + offset);
    return new Blob([bytes]);
  };
  for (const [file, message] of [
    [new Blob([zstdCompressSync("{}")]), /zstd.*tseliot symbolicate/],
    [new File([brotliCompressSync("{}")], "profile.json.br"), /Brotli.*tseliot symbolicate/],
    [new Blob([zip({ "a.json": "{}", "b.json": "{}" })]), /has 2 files/],
    [new Blob([zip({ "folder/": "" })]), /has 0 files/],
    [new Blob([zip({})]), /has 0 files/],
    [zipWith("PK\u0001\u0002", 8, 0x0008_0001), /encrypted/],
    [zipWith("PK\u0001\u0002", 8, 0x000e_0000), /unusual method/],
    [zipWith("PK\u0001\u0002", 20, 0xffffffff), /zip64.*tseliot symbolicate/],
    [zipWith("PK\u0005\u0006", 16, 0xffffffff), /zip64.*tseliot symbolicate/],
    [new Blob([gzipSync(Buffer.alloc(500_000_001, " "))]), /over 500 MB.*tseliot symbolicate/],
  ] as const)
    await assert.rejects(readText(file), message);
});

test("requests each offset once, ten modules at a time, and a failed request costs only its own modules", async () => {
  const frames = Array.from({ length: 36 }, (_, index) => ({ ip: index + 0x1001, module_index: index % 12 }));
  const capture = read({
    modules: Array.from({ length: 12 }, (_, index) => ({
      base_address: index,
      debug_file: `m${index}`,
      debug_id: index === 11 ? null : "AB",
    })),
    threads: [{ frames: [...frames, ...frames] }],
  });
  const bodies: { memoryMap: [string, string][]; stacks: [[number, number][]] }[] = [];
  const progress: string[] = [];
  const { outcomes, frameOf } = await symbolicateCapture(
    capture,
    async (body) => {
      const { memoryMap, stacks } = JSON.parse(body) as (typeof bodies)[number];
      bodies.push({ memoryMap, stacks });
      if (memoryMap.length === 1) throw new Error("refused");
      const found = Object.fromEntries(memoryMap.map((module) => [module.join("/"), true]));
      const responses = stacks[0].map(([module, offset], frame) => ({
        frame,
        module: memoryMap[module]?.[0] ?? "",
        module_offset: `0x${offset.toString(16)}`,
        function: `f${offset}`,
      }));
      return { results: [{ stacks: [responses], found_modules: found }] };
    },
    (done, all) => progress.push(`${done}/${all}`),
  );
  assert.deepEqual(
    bodies.map(({ memoryMap, stacks: [stack] }) => [memoryMap.length, stack.length]),
    [
      [10, 30],
      [1, 3],
    ],
  );
  assert.deepEqual([progress.at(0), progress.at(-1)], ["0/11", "11/11"]);
  const faults = outcomes.filter(({ status }) => status !== "cached");
  assert.deepEqual(
    faults.map(({ debugFilename, status }) => [debugFilename, status]),
    [
      ["m11", "not_found"],
      ["m10", "failed"],
    ],
  );
  const shown = capture.threads[0]?.stacks[0]?.frames.map(frameOf);
  assert.deepEqual(shown?.[12], { frame: 12, module: "m0", module_offset: "0x100d", function: "f4109" });
  assert.deepEqual(shown?.[11], { frame: 11, module: "m11", module_offset: "0x1001" });
});

test("requests offsets past 2^53 exactly", async () => {
  const capture = read({
    modules: [{ base_address: "0x0", debug_file: "a", debug_id: "AB" }],
    threads: [{ frames: [{ ip: "0xfffffffffffffffe", module_index: 0 }] }],
  });
  const bodies: string[] = [];
  await symbolicateCapture(
    capture,
    async (body) => {
      bodies.push(body);
      return { results: [] };
    },
    () => {},
  );
  assert.deepEqual(bodies, ['{"memoryMap":[["a","AB"]],"stacks":[[[0,18446744073709551614]]]}']);
});

const revision = "997f00815e6bc28806b75448c8829f0259d2cb28";
const sources = [
  [
    `hg:hg.mozilla.org/releases/mozilla-esr140:dom/base/a b.cpp:${revision}`,
    "dom/base/a b.cpp",
    `https://searchfox.org/mozilla-esr140/hgrev/${revision}/dom/base/a%20b.cpp#7`,
    `https://hg.mozilla.org/releases/mozilla-esr140/file/${revision}/dom/base/a%20b.cpp#l7`,
  ],
  [
    `hg:hg.mozilla.org/try:dom/x.cpp:${revision}`,
    "dom/x.cpp",
    `https://hg.mozilla.org/try/file/${revision}/dom/x.cpp#l7`,
  ],
  [
    `git:pdfium.googlesource.com/pdfium:core/fdrm/fx_crypt.cpp:${revision}`,
    "core/fdrm/fx_crypt.cpp",
    `https://pdfium.googlesource.com/pdfium/+/${revision}/core/fdrm/fx_crypt.cpp#7`,
  ],
  [
    "cargo:registry/symbolic-symcache-13.9.0/src/lib.rs",
    "symbolic-symcache-13.9.0/src/lib.rs",
    "https://docs.rs/crate/symbolic-symcache/13.9.0/source/src/lib.rs#7",
  ],
  [
    "cargo:github.com-1ecc6299db9ec823:winit-0.20.0-alpha4:src/event_loop.rs",
    "winit-0.20.0-alpha4/src/event_loop.rs",
    "https://docs.rs/crate/winit/0.20.0-alpha4/source/src/event_loop.rs#7",
  ],
  [
    "/rust/deps/gimli-0.32.3/src/read/unit.rs",
    "gimli-0.32.3/src/read/unit.rs",
    "https://docs.rs/crate/gimli/0.32.3/source/src/read/unit.rs#7",
  ],
  [
    `/rustc/${revision}/library/core/src/ptr/mod.rs`,
    "library/core/src/ptr/mod.rs",
    `https://github.com/rust-lang/rust/blob/${revision}/library/core/src/ptr/mod.rs#L7`,
  ],
  [
    "s3:gecko-generated-sources:a5d3747707d6877b/ipc/ipdl/PBackgroundChild.cpp:",
    "ipc/ipdl/PBackgroundChild.cpp",
  ],
  ["C:\\src\\win path\\x y.cpp", "C:\\src\\win path\\x y.cpp"],
  [`hg:evil.example/x:javascript/alert.cpp:${revision}`, "javascript/alert.cpp"],
  [`git:github.com.evil.example/a/b:c.cpp:${revision}`, "c.cpp"],
] as const;
for (const [file, path, ...urls] of sources)
  test(`links ${file} to its source`, () => {
    const source = sourceFile(file, 7);
    assert.equal(source.path, path);
    assert.deepEqual(
      source.links.map(({ url }) => url),
      urls,
    );
  });

test("splits paths of 131,000 characters as fast as they are long", () => {
  // A quadratic expression took half a minute for each.
  for (const path of [
    `cargo:/a-1.1.${"1".repeat(131_000)}`,
    `cargo:/${"a-".repeat(65_000)}`,
    `cargo:/${"a-1.1.1".repeat(18_000)}`,
    `cargo:${"/".repeat(131_000)}`,
    `/rust/deps/${"-1".repeat(65_000)}`,
    `hg:${":".repeat(131_000)}\n`,
    `git:a:${"/".repeat(131_000)}`,
    `s3:${"a".repeat(131_000)}`,
    `/rustc/${"0".repeat(131_000)}`,
  ])
    assert.equal(typeof sourceFile(path, 1).path, "string");
});

test("replaces unpaired surrogates in paths and links", () => {
  const { path, links } = sourceFile("cargo:registry/a-1.2.3/\uD800.rs", 1);
  assert.equal(path, "a-1.2.3/\uFFFD.rs");
  assert.equal(links[0]?.url, "https://docs.rs/crate/a/1.2.3/source/%EF%BF%BD.rs#1");
});

test("shows control characters in names and paths escaped", () => {
  const [outer, inner, module] = ["f\u001B[31m\n\u009B", "\u202Eg", "a\u0000.so"];
  const frame = { frame: 0, module, module_offset: "0x1", function: outer, file: "b\r.c", line: 1, inlines: [{ function: inner, file: "c", line: 2 }] }; // prettier-ignore
  const text = stackText([frame]);
  assert.equal(
    text,
    "    0    \\u202Eg  c:2  (inlined)\n       f\\x1B[31m\\n\\x9B  b\\x0D.c:1  in a\\x00.so",
  );
});
