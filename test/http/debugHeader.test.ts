import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { quirkSymbols, startTestService, temporaryFolder } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const id = "0123456789ABCDEF0123456789ABCDEF0";
const symFile = `MODULE Linux x86_64 ${id} libtest.so\nFUNC 1000 10 0 main\n`;
const job = { memoryMap: [["libtest.so", id]], stacks: [[[0, 0x1008]], [[0, 0x100c]]] };

/** What `debug` says with its times, which nobody can foretell, as `seconds`. */
function withoutTimes(debug: object): unknown {
  return JSON.parse(
    JSON.stringify(debug, (key, value: unknown) => {
      if (key === "time" && typeof value === "number" && value >= 0) return "seconds";
      if (!key.endsWith("time_per_module")) return value;
      return Object.fromEntries(
        Object.entries(value as object).map(([module, time]) => [
          module,
          typeof time === "number" && time > 0 ? "seconds" : time,
        ]),
      );
    }),
  );
}

const nothingDownloaded = {
  downloads: {
    count: 0,
    size: 0,
    time: "seconds",
    size_per_module: {},
    time_per_module: {},
    fail_time_per_module: {},
  },
  parse_sym: { time: "seconds", time_per_module: {}, fail_time_per_module: {} },
  save_symcache: { time: "seconds", time_per_module: {} },
};

test("reports the durations of a download, a conversion and a cache hit", async () => {
  await using server = await SymbolServer.start(reply("200 OK", symFile));
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: server.url });
  const took = { [`libtest.so/${id}`]: "seconds" };
  const { debug: made } = await service.symbolicate({ jobs: [job, job] });
  assert.deepEqual(withoutTimes(made), {
    time: "seconds",
    cache_lookups: { count: 1, hits: 0, time: "seconds" },
    downloads: {
      count: 1,
      size: symFile.length,
      time: "seconds",
      size_per_module: { [`libtest.so/${id}`]: symFile.length },
      time_per_module: took,
      fail_time_per_module: {},
    },
    parse_sym: { time: "seconds", time_per_module: took, fail_time_per_module: {} },
    save_symcache: { time: "seconds", time_per_module: took },
    modules: {
      count: 2,
      stacks_per_module: { [`libtest.so/${id}`]: 2 },
      status_per_module: { [`libtest.so/${id}`]: { status: "converted" } },
    },
  });

  const { debug: cached } = await service.symbolicate(job);
  assert.deepEqual(withoutTimes(cached), {
    time: "seconds",
    cache_lookups: { count: 1, hits: 1, time: "seconds" },
    ...nothingDownloaded,
    modules: {
      count: 1,
      stacks_per_module: { [`libtest.so/${id}`]: 1 },
      status_per_module: { [`libtest.so/${id}`]: { status: "cached" } },
    },
  });
});

test("reports failures under the module's name and id as in the request", async () => {
  await using server = await SymbolServer.start(reply("500 Internal Server Error"));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    "sources.downloadAttempts": "1",
  });
  const key = `libtest.so/${id.toLowerCase()}`;
  const { debug } = await service.symbolicate({ ...job, memoryMap: [["libtest.so", id.toLowerCase()]] });
  assert.deepEqual(withoutTimes(debug), {
    time: "seconds",
    cache_lookups: { count: 1, hits: 0, time: "seconds" },
    ...nothingDownloaded,
    downloads: {
      ...nothingDownloaded.downloads,
      count: 1,
      fail_time_per_module: { [key]: "seconds" },
    },
    modules: {
      count: 1,
      stacks_per_module: { [key]: 1 },
      status_per_module: {
        [key]: {
          status: "download_failed",
          reason: `${new URL(server.url).host} responded with 500`,
        },
      },
    },
  });
});

test("does not report modules without frames", async () => {
  await using service = await startTestService();
  const memoryMap = [
    ["unused.so", id],
    ["", id],
    ["noid.so", ""],
  ];
  const { debug } = await service.symbolicate({
    memoryMap,
    stacks: [
      [
        [-1, 1],
        [1, 1],
        [2, 1],
      ],
    ],
  });
  assert.deepEqual(withoutTimes(debug), {
    time: "seconds",
    cache_lookups: { count: 0, hits: 0, time: "seconds" },
    ...nothingDownloaded,
    modules: { count: 0, stacks_per_module: {}, status_per_module: {} },
  });
});

test("reports a reason in words, and the same one while the failure is remembered", async () => {
  await using symbols = await temporaryFolder();
  const large = join(symbols.path, "large.so", id);
  await mkdir(large, { recursive: true });
  await writeFile(join(large, "large.so.sym"), symFile.replace("libtest.so", "large.so").padEnd(1000, "#"));
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: `file://${symbols.path},${quirkSymbols}`,
    "sources.maxSymFileBytes": "900",
  });
  const reasons = {
    [`missing.so/${id}`]: { status: "not_found", reason: "no source has a sym file" },
    [`large.so/${id}`]: { status: "too_large", reason: "the sym file has more than 900 bytes" },
    "malformed-func.so/000000000000000000000000000000440": {
      status: "malformed",
      reason: 'line 4: parsing error: "FUNC zz 10 0 f"',
    },
  };
  const memoryMap = Object.keys(reasons).map((key) => key.split("/"));
  const asked = { memoryMap, stacks: [memoryMap.map((_, index) => [index, 1])] };
  for (let time = 0; time < 2; time++) {
    const { results, debug } = await service.symbolicate(asked);
    assert.deepEqual(debug.modules.status_per_module, reasons);
    assert.deepEqual(Object.values(results[0]?.found_modules ?? {}), [false, false, false]);
  }
});

for (const [value, given] of [
  ["true", true],
  ["false", true],
  ["", false],
] as const) {
  test(`${given ? "answers" : "keeps to itself"} what it took for a header \`Debug: ${value}\``, async () => {
    await using service = await startTestService();
    const response = await service.post("/symbolicate/v5", JSON.stringify(job), { debug: value });
    assert.equal("debug" in ((await response.json()) as object), given);
  });
}
