/** Long streams of crash pings, and clients that read late, slowly or not at all, or leave. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { constants, createGunzip } from "node:zlib";
import { checkResponse } from "../support/checkResponse.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { withoutRetries, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const modules = Array.from({ length: 30 }, (_, index) => syntheticModule(`pinged${index + 10}.so`, 500));
const base = (module: number) => 0x7f00_0000_0000 + module * 0x1000_0000;

/** A crash ping whose frames are in modules at random, and their functions. */
function randomPing(random: Random) {
  const frames = Array.from({ length: 10 + random.below(51) }, () => {
    // The product of two is small more often than large: a few modules have most of the frames.
    const module = Math.floor((random.below(modules.length) * random.below(modules.length)) / modules.length);
    return { module, ...random.pick(modules[module]!.frames) };
  });
  const ping = {
    crash_thread: 0,
    modules: modules.map(({ name, id }, module) => ({ base_address: hex(base(module)), debug_file: name, debug_id: id, filename: name })),
    threads: [{ frames: frames.map(({ module, offset }) => ({ ip: hex(base(module) + offset), module_index: module, trust: "cfi" })) }],
  }; // prettier-ignore
  return { line: `${JSON.stringify(ping)}\n`, functions: frames.map((frame) => frame.function) };
}

function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

/** So many lines, and what must be found for each. */
function pings(count: number) {
  const random = new Random(7);
  const distinct = Array.from({ length: Math.min(count, 500) }, () => randomPing(random));
  const at = (index: number) => distinct[index % distinct.length]!;
  const lines = function* () {
    for (let index = 0; index < count; index++) yield at(index).line;
  };
  return { lines, functionsOf: (index: number) => at(index).functions };
}

interface Answer {
  threads: { frames: { function: string }[] }[];
  error?: { title: string; fatal?: boolean };
}

type Encoding = "identity" | "gzip";

function open(harness: Harness, encoding: Encoding = "identity"): ClientRequest {
  const sent = request(`${harness.service.url}/symbolicate/bulk?thread=crashing`, {
    method: "POST",
    headers: { "accept-encoding": encoding },
  });
  sent.on("error", () => {});
  return sent;
}

async function answerOf(sent: ClientRequest): Promise<Readable> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.on("error", () => {});
  if (response.headers["content-encoding"] !== "gzip") return response;
  return response.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH }));
}

const answered = { method: "POST", path: "/symbolicate/bulk", status: 200 };

/** Looks at all lines as they come, and gives the last where that is an error. */
async function check(
  response: Readable,
  { functionsOf }: ReturnType<typeof pings>,
  seen: (lines: number) => unknown = () => {},
) {
  let lines = 0;
  for await (const line of createInterface({ input: response })) {
    const { threads, error } = JSON.parse(line) as Answer;
    if (lines < 100 || error)
      checkResponse({ ...answered, contentType: "application/x-ndjson", body: `${line}\n` });
    if (error) return { lines, error };
    assert.deepEqual(threads[0]?.frames.map((frame) => frame.function), functionsOf(lines)); // prettier-ignore
    await seen(++lines);
  }
  return { lines };
}

let harness: Harness;
before(async () => {
  harness = await startHarness(modules, { ...withoutRetries, ELIOT_DRAIN_TIMEOUT: "1" });
});
after(() => harness[Symbol.asyncDispose]());

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${harness.service.pid}/status`, "utf8");
  return (Number(/VmRSS:\s+([0-9]+)/.exec(status)?.[1]) * 1024) / 1e6;
}

/** Files without a name that the service has open. */
function spools(): number {
  const folder = `/proc/${harness.service.pid}/fd`;
  const targets = readdirSync(folder).map((file) => {
    try {
      return readlinkSync(`${folder}/${file}`);
    } catch {
      return "";
    }
  });
  return targets.filter((target) => target.startsWith(harness.folder) && target.endsWith("(deleted)")).length;
}

test("answers any number of lines in constant memory, and downloads each module once", async (t) => {
  const count = times(3_000, 100_000);
  const all = pings(count);
  const sent = open(harness);
  Readable.from(all.lines()).pipe(sent);
  let early = 0;
  let late = 0;
  const start = performance.now();
  const { lines } = await check(await answerOf(sent), all, (line) => {
    if (line % 100 !== 0) return;
    if (line < count / 3) early = Math.max(early, residentMegabytes());
    else late = Math.max(late, residentMegabytes());
  });
  const seconds = (performance.now() - start) / 1000;
  assert.equal(lines, count);
  assert.ok(late < early + 100, `${early} MB, later ${late} MB`);
  const hits = harness.server.hits;
  assert.equal(new Set(hits).size, hits.length);
  t.diagnostic(`${count} pings in ${Math.round(seconds)} s: ${Math.round(early)} MB in the first third, ${Math.round(late)} MB after it`);
}); // prettier-ignore

test("sends a gzipped response to a client that sends everything before it reads", async () => {
  const all = pings(times(4_000, 20_000));
  const sent = open(harness, "gzip");
  const response = answerOf(sent);
  Readable.from(all.lines()).pipe(sent);
  await once(sent, "finish");
  const { lines } = await check(await response, all);
  assert.equal(lines, [...all.lines()].length);
  assert.equal(spools(), 0);
});

test("spools the response to disk for a client that sends everything before it reads", async () => {
  const all = pings(times(4_000, 20_000));
  const sent = open(harness);
  const response = answerOf(sent);
  Readable.from(all.lines()).pipe(sent);
  await once(sent, "finish");
  assert.equal(spools(), 1);
  const { lines } = await check(await response, all);
  assert.equal(lines, [...all.lines()].length);
  assert.equal(spools(), 0);
});

test("ends a stream after a complete line if its response exceeds the disk space for spooling", async () => {
  await using small = await startHarness(modules, { ...withoutRetries, ELIOT_BULK_SPOOL: "1mb" });
  const all = pings(8_000);
  const sent = open(small);
  const response = answerOf(sent);
  Readable.from(all.lines()).pipe(sent);
  await once(sent, "finish");
  const { lines, error } = await check(await response, all);
  assert.ok(lines > 100);
  assert.deepEqual(error, {
    title: "the response cannot be buffered, read it while you send the request: there is no room for more",
    fatal: true,
  });
});

test("ends a stream if its response can't be spooled because the folder is missing", async () => {
  await using broken = await startHarness(modules, withoutRetries);
  // Nothing is written to the folder any more.
  await broken.ask(...modules);
  const all = pings(8_000);
  const sent = open(broken);
  const response = answerOf(sent);
  Readable.from(all.lines()).pipe(sent);
  await response;
  await rm(broken.folder, { recursive: true });
  await writeFile(broken.folder, "a file");
  await once(sent, "finish");
  const { error } = await check(await response, all);
  assert.match(
    error?.title ?? "",
    /^the response cannot be buffered, read it while you send the request: .*ENOTDIR/,
  );
  assert.equal(error?.fatal, true);
});

test("waits for a client that has sent everything and reads slowly, without using disk or memory", async () => {
  const all = pings(times(1_000, 5_000));
  const body = [...all.lines()].join("");
  const idle = residentMegabytes();
  const sent = open(harness);
  sent.end(body);
  const response = await answerOf(sent);
  let most = 0;
  const { lines } = await check(response, all, async (line) => {
    if (line % 50 !== 0) return;
    await setTimeout(20);
    most = Math.max(most, residentMegabytes());
    assert.equal(spools(), 0);
  });
  assert.equal(lines, [...all.lines()].length);
  assert.ok(most < idle + 150, `${idle} MB, then ${most} MB`);
});

test("releases all resources if clients disconnect at any moment of a stream", async () => {
  const random = new Random(8);
  const all = pings(300);
  const body = [...all.lines()].join("");
  const handles = () => readdirSync(`/proc/${harness.service.pid}/fd`).length;
  const handlesBefore = handles();
  for (let time = 0; time < times(60, 1_000); time++) {
    const sent = open(harness, time % 2 === 0 ? "identity" : "gzip");
    sent.write(body.slice(0, random.below(body.length)));
    await setTimeout(random.below(30));
    sent.destroy();
  }
  await waitUntil(() => handles() <= handlesBefore + 2);
  const sent = open(harness);
  sent.end(body);
  assert.deepEqual(await check(await answerOf(sent), all), { lines: 300 });
});

test("ends a stream with an error line after an internal error, and reports it", async () => {
  const bug = `
    import { registerHooks } from "node:module";
    registerHooks({
      load(url, context, next) {
        const loaded = next(url, context);
        if (!url.endsWith("/src/codec/bulk/renderLine.ts")) return loaded;
        const source = String(loaded.source).replace('json.text("{");', 'if (job === 3) throw new TypeError("a bug"); json.text("{");');
        return { ...loaded, source };
      },
    });`;
  await using broken = await startHarness(modules, withoutRetries, () => [process.execPath, "--import", `data:text/javascript,${encodeURIComponent(bug)}`, "src/main.ts"]); // prettier-ignore
  const all = pings(300);
  const report = broken.service.logged('"request failed"');
  const summary = broken.service.logged("request.summary");
  const sent = open(broken);
  sent.end([...all.lines()].join(""));
  const { lines, error } = await check(await answerOf(sent), all);
  assert.ok(lines >= 3 && lines < 300);
  assert.deepEqual(error, { title: "500 Internal Server Error", fatal: true });
  assert.match(await report, /TypeError: a bug/);
  assert.match(await summary, /"end":"failed"/);
});

for (const [signals, name, encoding] of [
  [1, "the time for its end is up", "identity"],
  [2, "a second signal comes", "identity"],
  [1, "the time for its end is up, gzipped", "gzip"],
  [2, "a second signal comes, gzipped", "gzip"],
] as const)
  test(`ends a stream with an error line when ${name}`, async () => {
    await harness.restart({ ELIOT_DRAIN_TIMEOUT: signals === 1 ? "0.5" : "60" });
    const all = pings(5);
    const sent = open(harness, encoding);
    sent.write([...all.lines()].join(""));
    const response = await answerOf(sent);
    const { lines, error } = await check(response, all, async (line) => {
      if (line < 5) return;
      harness.service.signal("SIGTERM");
      await setTimeout(100);
      // What comes meanwhile is answered.
      if (signals === 2) harness.service.signal("SIGTERM");
    });
    assert.deepEqual([lines, error], [5, { title: "the service is shutting down", fatal: true }]);
    assert.equal(await harness.service.exit, 0);
  });
