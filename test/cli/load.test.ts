import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { inSequence, reply, SymbolServer, type Script } from "../support/symbolServer.ts";
import { run, start } from "../support/commandLine.ts";
import { waitUntil } from "../support/waitUntil.ts";

const rustsample = ["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"];
const job = { memoryMap: [rustsample], stacks: [[[0, 0x6322a]]] };
const requests = [job, { jobs: [job, job] }, { ...job, version: 4 }];
const input = requests.map((request) => `${JSON.stringify(request)}\n`).join("");
const response = reply("200 OK", '{"results":[]}');

interface Report {
  answered: number;
  failed: number;
  seconds: number;
  isInterrupted: boolean;
  answeredPerSecond: number;
  latency: Record<"p50" | "p90" | "p99" | "p999" | "max", number>;
  lateness: { max: number };
  errors: { kind: string; count: number; example: string }[];
  timeline: { at: number; answered: number; failed: number }[];
}

async function load(url: string, parameters: string[], stdin = input) {
  const { code, stdout, stderr } = await run(["load", url, "--json", "-", ...parameters], { input: stdin });
  assert.equal(stderr.replace(/^.* succeeded, .*\n|^warming up.*\n/gm, ""), "");
  return { code, report: JSON.parse(stdout) as Report };
}

test("sends requests at a given rate, and reports the results as text, as JSON and as a plot", async () => {
  await using service = await startTestService();
  await using folder = await temporaryFolder();
  const [json, plot] = [join(folder.path, "report.json"), join(folder.path, "latency.svg")];
  const parameters = [
    "--rate",
    "40",
    "--duration",
    "1.5",
    "--warm-up",
    "500ms",
    "--json",
    json,
    "--plot",
    plot,
  ];
  const { code, stdout } = await run(["load", `${service.url}/`, "-", ...parameters], { input });
  assert.equal(code, 0);
  assert.ok(stdout.startsWith(`${service.url}: 40 requests/s for `));
  assert.match(
    stdout,
    /after 0\.5 s of warm-up\n\nsucceeded +60, .*\nfailed +0\nlatency\n +mean .* ms\n +p50 /,
  );
  assert.match(
    stdout,
    /p99\.9 +[0-9.]+ ms\n +max +[0-9.]+ ms\nthis tool +busy [0-9]+ % of the time, sent [0-9.]+ ms late/,
  );

  const report = JSON.parse(await readFile(json, "utf8")) as Report;
  assert.deepEqual([report.answered, report.failed, report.errors], [60, 0, []]);
  assert.ok(report.seconds >= 1.5 && report.answeredPerSecond === 60 / report.seconds);
  const { p50, p90, p99, p999, max } = report.latency;
  assert.deepEqual(
    [p50, p90, p99, p999, max],
    [p50, p90, p99, p999, max].toSorted((a, b) => a - b),
  );
  const [before, counted] = [
    report.timeline.filter(({ at }) => at < 0),
    report.timeline.filter(({ at }) => at >= 0),
  ];
  assert.equal(
    before.reduce((sum, span) => sum + span.answered, 0),
    20,
  );
  assert.equal(
    counted.reduce((sum, span) => sum + span.answered, 0),
    60,
  );

  const svg = await readFile(plot, "utf8");
  assert.match(svg, /^<svg [^>]+viewBox="0 0 800 /);
  assert.match(svg, />p99<\/text>[^]*<path d="M[0-9. L]+"\/>/);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test("keeps a given number of requests in flight, and stops after a given number", async () => {
  let underWay = 0;
  let most = 0;
  await using server = await SymbolServer.start(async (socket, path) => {
    most = Math.max(most, ++underWay);
    await setTimeout(20);
    underWay--;
    await response(socket, path);
  });
  const { code, report } = await load(server.url, ["-c", "5", "-n", "50", "-w", "0.2"], "{}");
  assert.equal(code, 0);
  // Clients that were under way when the last one counted was sent are not more than five.
  assert.deepEqual([report.answered, report.failed], [50, 0]);
  assert.equal(most, 5);
  assert.ok(server.hits.length > 55, "some came while warming up");
});

test("counts errors by kind", async () => {
  const kinds: Record<string, Script> = {
    "status 503": reply("503 Service Unavailable", '{"title":"busy"}'),
    reset: (socket) => socket.resetAndDestroy(),
    timeout: () => {},
    "no JSON": reply("200 OK", "<html>"),
    "wrong JSON": reply("200 OK", '{"knownModules":[]}'),
    "bad HTTP": (socket) => socket.end("hello\r\n\r\n"),
  };
  const cut: Script = (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  await using server = await SymbolServer.start(inSequence(response, ...Object.values(kinds), cut, response));
  const { code, report } = await load(server.url, ["-n", "9", "-w", "0", "--timeout", "300ms"], "{}");
  assert.deepEqual([report.answered, report.failed], [2, 7]);
  assert.deepEqual(
    Object.fromEntries(report.errors.map(({ kind, count }) => [kind, count])),
    Object.fromEntries(Object.keys(kinds).map((kind) => [kind, kind === "reset" ? 2 : 1])),
  );
  const busy = report.errors.find(({ kind }) => kind === "status 503");
  assert.equal(busy?.example, 'standard input: {"title":"busy"}');
  assert.equal(code, 0);
});

test("keeps its request rate if the service is slow", async () => {
  const open = Promise.withResolvers<void>();
  await using server = await SymbolServer.start(async (socket, path) => {
    if (server.hits.length === 20) await setTimeout(300).then(() => open.resolve());
    await open.promise;
    await response(socket, path);
  });
  // Nothing is answered before 20 requests have come, and 300 ms more.
  const { report } = await load(server.url, ["--rate", "50", "-n", "40", "-w", "0"], "{}");
  assert.deepEqual([report.answered, report.failed], [40, 0]);
  assert.ok(report.latency.max > 600, `the first waited ${report.latency.max} ms`);
  assert.ok(
    report.latency.p50 > 100,
    `half of all were sent while nothing was answered: ${report.latency.p50}`,
  );
});

test("measures latency from the scheduled time of a request, even if it was sent late", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "request.json"), "{}");
  await using server = await SymbolServer.start(response);
  const parameters = ["load", server.url, "request.json", "-r", "50", "-n", "50", "-w", "0", "--json", "-"];
  const { child, ended } = start(parameters, { cwd: folder.path });
  await waitUntil(() => server.hits.length >= 5);
  child.kill("SIGSTOP");
  await setTimeout(700);
  child.kill("SIGCONT");
  const report = JSON.parse((await ended).stdout) as Report;
  // Some 35 of 50 should have been sent meanwhile.
  assert.ok(report.latency.p50 > 100 && report.lateness.max > 500, JSON.stringify(report));
});

test("stops at Ctrl-C and reports the results so far", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "request.json"), "{}");
  await using server = await SymbolServer.start((socket, path) =>
    server.hits.length > 20 ? undefined : response(socket, path),
  );
  const parameters = ["load", server.url, "request.json", "-d", "1h", "-w", "0", "--json", "report.json"];
  const { child, ended } = start(parameters, { cwd: folder.path });
  await waitUntil(() => server.hits.length > 20);
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  assert.equal(code, 130);
  assert.match(stdout, /, interrupted\n\nsucceeded +20, .*\nfailed +0\nunfinished +1\nlatency\n/);
  const report = JSON.parse(await readFile(join(folder.path, "report.json"), "utf8")) as Report;
  assert.deepEqual([report.answered, report.failed, report.isInterrupted], [20, 0, true]);
});

test("explains how to make requests if there are none, and reports which service it can't reach", async () => {
  const end = async (parameters: string[], stdin = "") => {
    const { code, stderr } = await run(["load", ...parameters], { input: stdin });
    return `${code} ${stderr}`;
  };
  const hint = "tseliot make-requests generates requests from a folder of sym files";
  assert.equal(await end(["http://127.0.0.1:1"]), `2 tseliot: standard input is empty; ${hint}\n`);
  assert.match(
    await end(["http://127.0.0.1:1", "-"], "{}"),
    /^3 tseliot: can't reach http:\/\/127\.0\.0\.1:1: /,
  );
  assert.match(
    await end(["http://127.0.0.1:1", "-r", "1", "-c", "2"]),
    /^2 tseliot: option .* cannot be used with /,
  );

  await using refusing = await SymbolServer.start(reply("404 Not Found"));
  const { code, stderr, stdout } = await run(["load", refusing.url, "-n", "3", "-w", "0"], { input: "{}" });
  assert.match(stdout, /\n {2}status 404 +3 /);
  assert.match(stderr, /^tseliot: no request to .* succeeded/);
  assert.equal(code, 3);
});
