/** Hostile sym files: `FAULTS.md`'s third section. What they come to in the converter itself is tested in the crate. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { reply } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { isWhole, Random, times } from "../support/scale.ts";
import { withoutRetries, jobOf, outcomes, startHarness, type Harness } from "../support/harness.ts";
import type { V5Response } from "../support/service.ts";
import { waitUntil } from "../support/waitUntil.ts";

interface Case {
  what: string;
  /** Behind the MODULE record and before good functions. */
  records: () => string;
  /** Status of the module; where it is not converted, what it says. */
  status: "converted" | "malformed" | "timeout" | "either";
  isLarge?: boolean;
}

const lines = (count: number, line: (number: number) => string) => Array.from({ length: count }, (_, number) => line(number)).join(""); // prettier-ignore
const hex = (number: number | bigint) => number.toString(16);
const nested = (depth: number, size: number) =>
  `INLINE_ORIGIN 0 inner\nFUNC 100000 ${hex(size)} 0 outer\n` +
  lines(depth, (level) => `INLINE ${level} 1 0 0 100000 ${hex(size)}\n`) +
  `100000 ${hex(size)} 1 0\n`;

const cases: Case[] = [
  { what: "inlines nested 10,000 deep", records: () => nested(10_000, 0x1000), status: "converted" },
  {
    what: "100 KB of nested inlines that shrink",
    records: () =>
      `INLINE_ORIGIN 0 inner\nFUNC 100000 10000 0 outer\n${lines(4_000, (level) => `INLINE ${level} 1 0 0 ${hex(0x100000 + level)} ${hex(0x10000 - 2 * level)}\n`)}100000 10000 1 0\n`,
    status: "either",
  },
  {
    what: "100,000 ranges on one INLINE",
    records: () =>
      `INLINE_ORIGIN 0 inner\nFUNC 100000 100000 0 outer\nINLINE 0 1 0 0${lines(100_000, (number) => ` ${hex(0x100000 + 8 * number)} 4`)}\n100000 100000 1 0\n`,
    status: "converted",
  },
  {
    what: "400,000 inlinees in one function",
    records: () =>
      `INLINE_ORIGIN 0 inner\nFUNC 100000 1000000 0 outer\n${lines(400_000, (number) => `INLINE 0 1 0 0 ${hex(0x100000 + 16 * number)} 8\n`)}100000 1000000 1 0\n`,
    status: "converted",
    isLarge: true,
  },
  { what: "a line of 1 MiB", records: () => `FUNC 100000 10 0 ${"x".repeat(1 << 20)}\n`, status: "converted" },
  { what: "a name of 10 MB", records: () => `FUNC 100000 10 0 ${"é".repeat(5e6)}\n`, status: "converted" },
  { what: "a bad record of 10 MB", records: () => `FUNC ${"x".repeat(10e6)}\n`, status: "malformed" },
  { what: "a line past 64 MiB", records: () => `FUNC 100000 10 0 ${"x".repeat(65 << 20)}\n`, status: "malformed", isLarge: true },
  { what: "addresses past 2^32", records: () => `FUNC 100000000 10 0 far\n100000000 10 1 0\nPUBLIC ffffffffffff 0 p\n`, status: "converted" },
  { what: "sizes to past 2^32", records: () => `FUNC 100000 fffffffff 0 long\n100000 fffffffff 1 0\n`, status: "either" },
  { what: "addresses past 2^64", records: () => `FUNC 10000000000000000 10 0 far\n`, status: "malformed" },
  { what: "an end past 2^64", records: () => `FUNC fffffffffffffff0 20 0 far\nfffffffffffffff0 20 1 0\n`, status: "either" },
  { what: "CR, NUL and blank lines", records: () => `\r\n\n\r\r\nFUNC 100000 10 0 a\0b\r\n100000 10 1 0\r\n`, status: "either" },
  { what: "every kind of record cut", records: () => "FILE\nFILE 1\nPUBLIC\nPUBLIC 1\nSTACK\nINFO\n", status: "either" },
  ...["FUNC", "FUNC m", "FUNC 1", "FUNC 1 2", "INLINE", "INLINE 0", "INLINE_ORIGIN", "1000 10", "1000 zz 1 0", "garbage"].map(
    (record): Case => ({ what: `a record of ${record}`, records: () => `FUNC 100000 10 0 a\n${record}\n`, status: "either" }),
  ),
  { what: "a million lines of no function", records: () => "\n".repeat(1e6), status: "converted" },
  {
    what: "10 million lines",
    records: () => `FUNC 100000 f0000000 0 long\n${lines(10_000_000, (number) => `${hex(0x100000 + 16 * number)} 10 ${number} 0\n`)}`,
    status: "converted",
    isLarge: true,
  },
]; // prettier-ignore

const used = cases.filter(({ isLarge }) => isWhole || !isLarge);
const modules = used.map((_, number) => syntheticModule(`hostile${number}.so`));
const healthy = syntheticModule("healthy.so");
const random = new Random(7);
const mutants = Array.from({ length: times(150, 5_000) }, (_, number) =>
  syntheticModule(`mutant${number}.so`, 20),
);

let harness: Harness;
before(async () => {
  harness = await startHarness([healthy, ...modules, ...mutants], {
    ...withoutRetries,
    "sources.notFoundTtlMs": "600000",
    "sources.headersTimeoutMs": "60000",
    "sources.stallTimeoutMs": "60000",
    "conversion.stepTimeoutMs": "20000",
  });
  await harness.ask(healthy);
});
after(() => harness[Symbol.asyncDispose]());

async function outcomeOf(module: (typeof modules)[0]) {
  const response = await fetch(`${harness.service.url}/symbolicate/v5`, {
    method: "POST",
    body: JSON.stringify(jobOf([healthy, module])),
    headers: { debug: "x" },
  });
  assert.equal(response.status, 200);
  const [first, second] = outcomes((await response.json()) as V5Response, [healthy, module]);
  assert.equal(first?.text, "right, cached");
  return second!;
}

for (const [number, { what, records, status, isLarge = false }] of used.entries())
  test(`survives a sym file with ${what}, and converts it only once`, async () => {
    const module = modules[number]!;
    const [head = "", rest = ""] = module.symFile.split(/(?<=FILE .*\n)/);
    const text = Buffer.from(head + records() + rest, "utf8");
    harness.fault(module, reply("200 OK", gzipSync(text, { level: 1 }), { "Content-Encoding": "gzip" }));
    const outcome = await outcomeOf(module);
    if (status !== "either") assert.equal(outcome.status, status, outcome.reason ?? "");
    else assert.ok(["converted", "malformed"].includes(outcome.status), outcome.reason ?? "");
    assert.ok(Buffer.byteLength(outcome.reason ?? "") < 1024);
    const again = await outcomeOf(module);
    // A large symcache is answered from while it is flushed: who comes before its end is one more for whom it was made.
    const isFlushing = isLarge && again.status === "converted";
    if (!isFlushing) assert.equal(again.status, outcome.status === "converted" ? "cached" : outcome.status);
    assert.equal(harness.hits(module), 1);
    const temporary = async () => (await harness.kept()).filter((name) => name.startsWith("tmp/"));
    if (isFlushing) await waitUntil(async () => (await temporary()).length === 0);
    assert.deepEqual(await temporary(), []);
  });

test("returns no wrong function for truncated, doubled or changed sym files, and never fails", async (t) => {
  const statuses = new Map<string, number>();
  for (const module of mutants) {
    const bytes = Buffer.from(module.symFile);
    const head = bytes.indexOf("\n") + 1;
    for (let change = random.below(4); change >= 0; change--)
      bytes[head + random.below(bytes.length - head)] = random.pick([
        0,
        10,
        13,
        32,
        48,
        102,
        255,
        random.below(256),
      ]);
    const text = random.below(3) > 0 ? bytes : bytes.subarray(0, head + random.below(bytes.length - head));
    harness.fault(module, reply("200 OK", text));
    const response = await fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body: JSON.stringify(jobOf([module])), headers: { debug: "x" } }); // prettier-ignore
    assert.equal(response.status, 200);
    const { debug } = (await response.json()) as V5Response;
    const status = debug.modules.status_per_module[module.key]?.status ?? "none";
    assert.ok(["converted", "malformed"].includes(status), status);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
  t.diagnostic(
    `changed sym files: ${[...statuses].map(([status, count]) => `${count} ${status}`).join(", ")}`,
  );
});

test("stops only a conversion that exceeds its memory, and only once", async () => {
  const [large, other] = [syntheticModule("large.so", 60_000), syntheticModule("other.so")];
  await using smallWorld = await startHarness([large, other], {
    ...withoutRetries,
    "sources.notFoundTtlMs": "600000",
    ELIOT_CONVERTERS: "1",
    ELIOT_CONVERTER_MEMORY: "4mb",
  });
  assert.deepEqual(await smallWorld.ask(large), ["bare, too_large"]);
  assert.deepEqual(await smallWorld.ask(large), ["bare, too_large"]);
  assert.equal(smallWorld.hits(large), 1);
  assert.deepEqual(await smallWorld.ask(other), ["right, converted"]);
  assert.deepEqual(await smallWorld.kept(), [other.name]);
});

test("stops only a conversion that takes too long, and only once", async () => {
  const [slow, other] = [syntheticModule("slow.so", 60_000), syntheticModule("other.so")];
  await using limited = await startHarness([slow, other], {
    ...withoutRetries,
    "sources.notFoundTtlMs": "600000",
    ELIOT_CONVERTERS: "1",
    "conversion.totalTimeoutMs": "1",
  });
  assert.deepEqual(await limited.ask(slow), ["bare, timeout"]);
  assert.deepEqual(await limited.ask(slow), ["bare, timeout"]);
  assert.equal(limited.hits(slow), 1);
  assert.deepEqual(await limited.ask(other), ["right, converted"]);
  assert.deepEqual(await limited.kept(), [other.name]);
});
