import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Frame } from "../../src/captures/capture.ts";
import { captureOf } from "../../src/captures/readCapture.ts";
import { sampleSymbols, temporaryFolder } from "../support/service.ts";
import { run } from "../support/commandLine.ts";
import { geckoProfile, processedProfile, type SyntheticThread } from "./profiles.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const env = { ELIOT_SYMBOLS_URLS: sampleSymbols, ELIOT_SYMBOLS_CACHE_DIR: join(folder.path, "cache") };

const libraries = [
  { debugName: "rustsample", breakpadId: "B8DC5E914190A65BDCFE4695B870ADD00" },
  { debugName: "libstdc++.so.6", breakpadId: "0CEFB84AE0DEB3F9900D2B90425BB3280" },
  { debugName: "no.so", breakpadId: "AB" },
];
const threads: SyntheticThread[] = [
  {
    name: "GeckoMain",
    stacks: [
      ["(root)", [1, 0xc5194], [1, 0xc619a]],
      ["(root)", [1, 0xc5194], [1, 0xc619a]],
      // Both a caller and sampled.
      ["(root)", [1, 0xc5194]],
      ["(root)", [1, 0xc5194], [2, 0x1234], "label"],
    ],
  },
  {
    name: "Worker",
    stacks: [
      [
        [0, 0x65071],
        [1, 1],
      ],
      [[1, 0xc619a]],
    ],
  },
];

/** The functions of each stack, innermost first; a dot marks inlined calls. */
const inMain = ["·d_append_char", "d_print_mod"];
const comp = ["·d_print_flush", "·d_append_char", "·d_append_buffer", "·d_append_string", "·d_append_num"];
const caller = [...comp, "d_print_comp_inner", "(root)"];

interface Seen {
  thread: string;
  stacks: { samples: number | undefined; functions: string[] }[];
}

function seenIn(profile: unknown): Seen[] {
  const capture = captureOf(profile);
  const functionsOf = ({ known, moduleIndex, moduleOffset }: Frame) => [
    ...(known.inlines ?? []).map((call) => `·${call.function}`),
    known.function ?? `${capture?.memoryMap[moduleIndex]?.[0]} ${moduleOffset.toString(16)}`,
  ];
  return Array.from(capture?.threads ?? [], ({ name, stacks }) => ({
    thread: name,
    stacks: stacks.map(({ samples, frames }) => ({ samples, functions: frames.flatMap(functionsOf) })),
  }));
}

async function symbolicated(profile: object): Promise<Record<string, unknown>> {
  const ended = await run(["symbolicate", "--json"], { input: JSON.stringify(profile), env });
  assert.equal(ended.code, 0);
  assert.match(ended.stderr, /^\d of \d modules have symbols.*\n$/);
  return JSON.parse(ended.stdout) as Record<string, unknown>;
}

const expectedMain = {
  thread: "GeckoMain, default",
  stacks: [
    { samples: 2, functions: [...inMain, ...caller] },
    { samples: 1, functions: caller },
    { samples: 1, functions: ["label", "no.so 1234", ...caller] },
  ],
};

for (const version of [41, 49, 56, 58, 60, 61, 66, 70]) {
  test(`adds symbols to a profile of version ${version} with valid references`, async () => {
    const profile = await symbolicated(processedProfile(version, threads, libraries));
    const [main, worker] = seenIn(profile);
    assert.deepEqual(main, expectedMain);
    assert.deepEqual(worker?.stacks[1], { samples: 1, functions: inMain });
    assert.deepEqual(worker?.stacks[0]?.functions.slice(0, 2), [
      "libstdc++.so.6 1",
      "·core::ptr::copy_nonoverlapping",
    ]);
    assert.equal((profile["meta"] as { symbolicated: boolean }).symbolicated, true);
    checkReferences(profile);
  });
}

test("gives a frame that is both sampled and a caller the line of each, in a profile of version 37", async () => {
  const cases = new URL("../fixtures/cases/", import.meta.url);
  await using cacheFolder = await temporaryFolder();
  const { stdout } = await run(
    ["symbolicate", "--json", "--symbols", cases.href, "--cache", cacheFolder.path],
    { input: await readFile(new URL("leaf-and-caller.json", cases)) },
  );
  const [thread] = (JSON.parse(stdout) as { threads: Record<string, Record<string, number[]>>[] }).threads;
  const lineOf = (stack: number) =>
    thread?.["frameTable"]?.["line"]?.[thread["stackTable"]?.["frame"]?.[stack] ?? -1];
  const [sampledTwice = -1, sampled = -1] = thread?.["samples"]?.["stack"] ?? [];
  assert.deepEqual([lineOf(sampledTwice), lineOf(sampled)], [20, 20]);
  assert.equal(lineOf(thread?.["stackTable"]?.["prefix"]?.[sampled] ?? -1), 10);
});

interface Columns {
  length: number;
  [column: string]: (number | null)[] | number;
}
type Tables = Record<"frameTable" | "funcTable" | "stackTable" | "nativeSymbols" | "resourceTable", Columns>;
interface Thread extends Tables {
  samples: Columns;
  markers: { data: { cause: { stack: number } }[] };
  stringArray: string[];
}

/** Checks that columns have the length of their table and refer to existing rows. */
function checkReferences(profile: object): void {
  const {
    threads: all,
    libs,
    shared,
  } = profile as unknown as {
    threads: Thread[];
    libs: unknown[];
    shared?: Tables & { stringArray: string[]; sources?: Columns };
  };
  for (const thread of all) {
    const { frameTable, funcTable, stackTable, nativeSymbols, resourceTable, stringArray } = {
      ...thread,
      ...shared,
    };
    for (const table of [frameTable, funcTable, stackTable, nativeSymbols, shared?.sources])
      for (const [name, column] of Object.entries(table ?? {}))
        if (Array.isArray(column)) assert.equal(column.length, table?.length, name);
    const refer = (column: Columns[string] | undefined, rows: number, none: number | null = null) => {
      for (const place of Array.isArray(column) ? column : [])
        assert.ok(place === none || (place !== null && place >= 0 && place < rows));
    };
    refer(thread.samples["stack"], stackTable.length);
    refer(
      thread.markers.data.map(({ cause }) => cause.stack),
      stackTable.length,
    );
    refer(stackTable["frame"], frameTable.length);
    refer(frameTable["func"], funcTable.length);
    refer(frameTable["nativeSymbol"], nativeSymbols.length);
    refer(frameTable["lib"], libs.length, -1);
    refer(funcTable["name"], stringArray.length);
    refer(funcTable["resource"], resourceTable.length, -1);
    refer(funcTable["fileName"], stringArray.length);
    refer(funcTable["source"], shared?.sources?.length ?? 0);
    refer(shared?.sources?.["filename"], stringArray.length);
    refer(nativeSymbols["name"], stringArray.length);
    refer(nativeSymbols["libIndex"], libs.length);
  }
}

test("sets the address of native symbols, the file of functions, and the line and depth of frames", async () => {
  const profile = await symbolicated(
    processedProfile(70, [{ name: "T", stacks: [[[1, 0xc619a]]] }], libraries),
  );
  const { frameTable, funcTable, nativeSymbols, sources, stringArray } = profile["shared"] as Tables & {
    sources: Columns;
    stringArray: string[];
  };
  const texts = (column: Columns[string] | undefined) =>
    (Array.isArray(column) ? column : []).map((place) => stringArray[place ?? -1]);
  assert.deepEqual(texts(funcTable["name"]), ["d_print_mod", "d_append_char"]);
  assert.deepEqual(funcTable["source"], [0, 0]);
  assert.deepEqual(funcTable["resource"], [1, 1]);
  assert.match(texts(sources["filename"])[0] ?? "", /\/cp-demangle\.c$/);
  assert.deepEqual(frameTable["line"], [6153, 4368]);
  assert.deepEqual(frameTable["inlineDepth"], [0, 1]);
  assert.deepEqual(frameTable["address"], [0xc619a, 0xc619a]);
  assert.deepEqual(frameTable["nativeSymbol"], [0, 0]);
  assert.deepEqual([nativeSymbols["libIndex"], nativeSymbols["address"]], [[1], [0xc619a - 0x74a]]);
  assert.deepEqual(texts(nativeSymbols["name"]), ["d_print_mod"]);
});

test("symbolicates a profile again, and keeps functions without symbols", async () => {
  const once = await symbolicated(processedProfile(66, threads, libraries));
  const again = await symbolicated(once);
  assert.deepEqual(seenIn(again), seenIn(once));
  checkReferences(again);
  await using empty = await temporaryFolder();
  const without = await run(["symbolicate", "--json", "--symbols", empty.path], {
    input: JSON.stringify(once),
    env: { ELIOT_SYMBOLS_CACHE_DIR: join(empty.path, "cache") },
  });
  assert.deepEqual(seenIn(JSON.parse(without.stdout)), seenIn(once));
});

test("updates the stacks of markers", async () => {
  const profile = await symbolicated(processedProfile(70, threads, libraries));
  const [thread] = profile["threads"] as (Thread & { samples: { stack: number[] } })[];
  assert.equal(thread?.markers.data[0]?.cause.stack, thread?.samples.stack.at(-1));
});

for (const [version, missing] of [
  // Callers have return addresses.
  [30, "no.so 1233"],
  [38, "no.so 1234"],
] as const) {
  test(`symbolicates a profile of version ${version}, whose format has no inlined calls`, async () => {
    const [main] = seenIn(await symbolicated(processedProfile(version, threads, libraries)));
    const plain = (name: string) => (name === "no.so 1234" ? missing : name.replace("·", ""));
    const stacks = expectedMain.stacks.map(({ samples, functions }) => ({
      samples,
      functions: functions.map(plain),
    }));
    assert.deepEqual(main, { ...expectedMain, stacks });
  });
}

test("adds symbols to a Gecko profile, with return addresses apart from sampled ones", async () => {
  const [main, worker] = seenIn(await symbolicated(geckoProfile(threads, libraries)));
  const label = (name: string) =>
    /^(?:\(root\)|label|no\.so 1234)$/.test(name) ? name : `${name.replace("·", "")} (in libstdc++.so.6)`;
  const stacks = expectedMain.stacks.map(({ samples, functions }) => ({
    samples,
    functions: functions.map(label),
  }));
  assert.deepEqual(main, { ...expectedMain, stacks });
  assert.deepEqual(worker?.stacks[1]?.functions, inMain.map(label));
});

test("updates the stack of a Gecko marker, and sets lines", async () => {
  const made = geckoProfile(
    [
      {
        name: "T",
        stacks: [
          [
            [1, 0xc5194],
            [1, 0xc619a],
          ],
        ],
      },
    ],
    libraries,
  );
  const [thread] = (await symbolicated(made))["threads"] as {
    frameTable: { data: (number | null)[][] };
    stackTable: { data: [number | null, number][] };
    samples: { data: number[][] };
    markers: { data: { stack: { samples: { data: number[][] } } }[][] };
  }[];
  const stack = thread?.markers.data[0]?.[5]?.stack.samples.data[0]?.[0] ?? -1;
  assert.notEqual(stack, thread?.samples.data[0]?.[0]);
  const lineOf = (place = -1) => thread?.frameTable.data[thread.stackTable.data[place]?.[1] ?? -1]?.[4];
  assert.equal(lineOf(thread?.samples.data[0]?.[0]), 4368);
  // A marker's innermost address is a return address, after the call.
  assert.equal(typeof lineOf(stack), "number");
});

test("prints the most frequent stacks of a gzipped profile, and writes a gzipped file", async () => {
  const file = join(folder.path, "profile.json");
  await writeFile(file, JSON.stringify(processedProfile(70, threads, libraries)));
  const output = join(folder.path, "symbolicated.json.gz");
  assert.equal((await run(["symbolicate", file, "--output", output], { env })).code, 0);
  assert.deepEqual(seenIn(JSON.parse(gunzipSync(await readFile(output)).toString()))[0], expectedMain);
  const { code, stdout } = await run(["symbolicate", output, "--stacks", "1"], { env });
  assert.equal(code, 0);
  const lines = stdout.split("\n").map((line) => line.replace(/ {2}\/build.*cp-demangle/, "  cp-demangle"));
  assert.deepEqual(lines.slice(0, 14), [
    "Firefox profile",
    "",
    "GeckoMain, default: 4 samples, 3 stacks",
    "  2 samples",
    "    0    d_append_char  cp-demangle.c:4368  (inlined)",
    "       d_print_mod  cp-demangle.c:6153  in libstdc++.so.6",
    "    1    d_print_flush  cp-demangle.c:4358  (inlined)",
    "         d_append_char  cp-demangle.c:4369  (inlined)",
    "         d_append_buffer  cp-demangle.c:4381  (inlined)",
    "         d_append_string  cp-demangle.c:4387  (inlined)",
    "         d_append_num  cp-demangle.c:4395  (inlined)",
    "       d_print_comp_inner  cp-demangle.c:4865  in libstdc++.so.6",
    "    2  (root)",
    "",
  ]);
  assert.equal(lines[14], "  2 more stacks: --stacks");
});
