import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { sampleSymbols, startTestService, temporaryFolder, type V5Response } from "../support/service.ts";
import { run } from "../support/commandLine.ts";

const symbols = fileURLToPath(sampleSymbols);

type Frame = [number, number];
interface Job {
  memoryMap: [string, string][];
  stacks: Frame[][];
}

async function make(...parameters: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(["make-requests", symbols, ...parameters]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

function parse<T>(lines: string): T[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

test("generates the same bytes for the same seed, from plain or gzipped sym files, and different ones for another seed", async () => {
  await using folder = await temporaryFolder();
  await cp(symbols, folder.path, { recursive: true });
  for (const name of await readdir(folder.path, { recursive: true }))
    if (name.endsWith(".sym.gz"))
      await writeFile(
        join(folder.path, name.replace(/\.gz$/, "")),
        gunzipSync(await readFile(join(folder.path, name))),
      );
  const made = await make("--count", "4", "--seed", "7");
  const { stdout: ofPlainFiles } = await run(["make-requests", folder.path, "-n", "4", "--seed", "7"]);
  assert.ok(ofPlainFiles === made);
  assert.ok(made.startsWith(await make("-n", "2", "--seed", "7")), "more requests begin with the same ones");
  assert.ok(made !== (await make("-n", "4", "--seed", "8")));
});

test("generates requests like the profiler's: one job of long stacks with the same outermost calls", async () => {
  const [job, ...others] = parse<Job>(await make("--kind", "profiler", "--count", "1", "--frames", "3000"));
  assert.ok(job && others.length === 0);
  const frames = job.stacks.flat();
  assert.equal(frames.length, 3000);

  const inModule = (name: string) =>
    frames.filter(([index]) => job.memoryMap[index]?.[0] === name).length / frames.length;
  assert.ok(inModule("libstdc++.so.6") > 0.5, "the module of most functions has most frames");
  assert.ok(inModule("rustsample") > 0.02);

  const sharing = job.stacks.slice(1).map((stack, index) => {
    const before = (job.stacks[index] as Frame[]).toReversed();
    const first = stack.toReversed().findIndex((frame, depth) => String(frame) !== String(before[depth]));
    return first < 0 ? stack.length : first;
  });
  const shared = sharing.reduce((sum, depth) => sum + depth, 0) / frames.length;
  assert.ok(shared > 0.15, `${shared} of all frames are shared with the stack before`);
  const distinct = new Set(frames.map(String)).size / frames.length;
  assert.ok(distinct > 0.1 && distinct < 0.8, `${distinct} of all frames are distinct`);
});

test("generates requests like those for crash pings: ten jobs with a stack of 10 to 60 frames", async () => {
  const requests = parse<{ jobs: Job[] }>(await make("--kind", "crash-ping", "--count", "3"));
  assert.deepEqual(
    requests.map(({ jobs }) => jobs.length),
    [10, 10, 10],
  );
  const depths = requests.flatMap(({ jobs }) => jobs.map(({ stacks }) => stacks[0]?.length ?? 0));
  assert.ok(
    Math.min(...depths) >= 10 && Math.max(...depths) <= 60 && new Set(depths).size > 5,
    String(depths),
  );
  const [fixed] = parse<{ jobs: Job[] }>(await make("-k", "crash-ping", "-n", "1", "-f", "105"));
  assert.equal(fixed?.jobs.flatMap(({ stacks }) => stacks.flat()).length, 105);
});

test("generates requests in which most frames have a function and some do not", async () => {
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: sampleSymbols });
  await using folder = await temporaryFolder();
  const output = join(folder.path, "new", "requests");
  const { code, stderr } = await run(["make-requests", symbols, "-n", "3", "-o", output]);
  assert.deepEqual([code, stderr], [0, `wrote 3 requests to ${output}\n`]);
  const names = await readdir(output);
  assert.deepEqual(names.toSorted(), ["0001-profiler.json", "0002-crash-ping.json", "0003-profiler.json"]);
  for (const name of names) {
    const response = await service.post("/symbolicate/v5", await readFile(join(output, name), "utf8"));
    assert.equal(response.status, 200);
    const { results } = (await response.json()) as V5Response;
    const frames = results.flatMap(({ stacks }) => stacks.flat());
    const known = frames.filter((frame) => "function" in frame).length / frames.length;
    assert.ok(known > 0.85 && known < 0.99, `${known} of all frames of ${name} have a function`);
    const found = new Set(results.flatMap(({ found_modules: modules }) => Object.values(modules)));
    assert.ok(found.has(true) && found.has(false));
  }
});

test("skips files that are not sym files, and fails if there are no others", async () => {
  await using folder = await temporaryFolder();
  const put = async (name: string, file: string, text: string | Uint8Array) => {
    await mkdir(join(folder.path, name, "AB0"), { recursive: true });
    await writeFile(join(folder.path, name, "AB0", file), text);
  };
  await put("empty.so", "empty.so.sym", "MODULE Linux x86_64 AB0 empty.so\n");
  await put("cut.so", "cut.so.sym.gz", Buffer.from("1f8b", "hex"));
  await put("elsewhere.so", "other.sym", "FUNC 10 10 0 f\n");
  const none = await run(["make-requests", "."], { cwd: folder.path });
  assert.match(
    none.stderr,
    /^cut\.so\/AB0: skipped: bad gzip: .*\nempty\.so\/AB0: skipped, it has no functions\n/,
  );
  assert.match(none.stderr, /\ntseliot: \. has no sym files such as /);
  assert.equal(none.code, 2);

  await put("public.pdb", "public.sym", "MODULE windows x86 AB0 public.pdb\r\nPUBLIC m 1000 0 f\r\n");
  const { code, stdout } = await run(["make-requests", ".", "-n", "1"], { cwd: folder.path });
  assert.equal(code, 0);
  assert.deepEqual((JSON.parse(stdout) as Job).memoryMap[0], ["public.pdb", "AB0"]);
});
