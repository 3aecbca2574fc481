import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createLogs } from "../../src/observability/logging.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const lines: string[] = [];
const service = await startTestService({}, { logDestination: { write: (line) => void lines.push(line) } });
test.after(() => service[Symbol.asyncDispose]());

const secret = "5ECE7000000000000000000000000000A";
const body = JSON.stringify({
  memoryMap: [["plain.so", "000000000000000000000000000000010"]],
  stacks: [[[0, 4096]]],
  secret,
});

/** The log lines of a request, once its summary is among them. */
async function linesOf(path: string, init: RequestInit = {}): Promise<Record<string, unknown>[]> {
  lines.splice(0);
  await (await fetch(service.url + path, init)).arrayBuffer();
  while (!lines.some((line) => line.includes("request.summary")))
    await new Promise((resolve) => setTimeout(resolve, 5));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("logs a request.summary for a request", async () => {
  const headers = { "user-agent": "test/1.0", "accept-language": "gsw", "x-request-id": "abc-123" };
  const [summary, ...others] = await linesOf("/symbolicate/v5?a=b", { method: "POST", body, headers });
  assert.deepEqual(others, []);
  const { Timestamp, Hostname, Pid, Fields, ...rest } = summary as {
    Fields: Record<string, unknown>;
  } & Record<string, unknown>;
  assert.deepEqual(rest, { Severity: 6, Type: "request.summary", Logger: "eliot", EnvVersion: "2.0" });
  assert.deepEqual([typeof Timestamp, typeof Hostname, typeof Pid], ["number", "string", "number"]);
  const { t, ...fields } = Fields;
  assert.equal(typeof t, "number");
  assert.deepEqual(fields, {
    agent: "test/1.0",
    errno: 0,
    method: "POST",
    path: "/symbolicate/v5",
    code: 200,
    lang: "gsw",
    rid: "abc-123",
    left: false,
    msg: "request.summary",
  });
});

test("logs no control characters of headers", async () => {
  const [summary] = await linesOf("/nothing", { headers: { "user-agent": "a\u009B31mb\u0085" } });
  assert.match(JSON.stringify(summary), /"agent":"a\uFFFD31mb\uFFFD"/);
});

test("logs health checks and static files at DEBUG, with the requested path", async () => {
  const debugLines: Record<string, unknown>[] = [];
  await using debugging = await startTestService(
    { ELIOT_LOGGING_LEVEL: "DEBUG" },
    {
      logDestination: { write: (line) => void debugLines.push(JSON.parse(line) as Record<string, unknown>) },
    },
  );
  const paths = [
    "/__lbheartbeat__",
    "/__version__",
    "/",
    "/docs",
    "/static/page.css",
    "/static/absent",
    "/cache",
  ];
  for (const path of paths) await (await fetch(debugging.url + path)).arrayBuffer();
  const summaries = debugLines.filter(({ Type }) => Type === "request.summary");
  assert.deepEqual(
    summaries.map(({ Severity, Fields }) => [(Fields as { path: string }).path, Severity]),
    paths.map((path) => [path, path === "/static/absent" || path === "/cache" ? 6 : 7]),
  );
});

test("writes timestamps in nanoseconds with all 19 digits", async () => {
  await linesOf("/cache");
  assert.match(lines[0] ?? "", /"Timestamp":1\d{18},/);
});

test("writes one line per message and flat fields, whatever a client sends", async () => {
  const agent = `"\\}{ ${"x".repeat(5000)}`;
  const [summary] = await linesOf("/%0A%22/".concat("y".repeat(5000)), {
    headers: { "user-agent": agent, "x-request-id": "bad id" },
  });
  const { Fields } = summary as { Fields: Record<string, string> };
  assert.ok((Fields["agent"]?.length ?? 0) <= 256 && (Fields["path"]?.length ?? 0) <= 256);
  assert.match(Fields["rid"] ?? "", /^[0-9a-f-]{36}$/);
  for (const value of Object.values(Fields)) assert.notEqual(typeof value, "object");
});

test("logs an internal error with its stack trace", async () => {
  const [error, summary] = await linesOf("/__broken__");
  const { Severity, Fields } = error as { Severity: number; Fields: Record<string, string> };
  assert.equal(Severity, 3);
  assert.equal(Fields["error"], "Error: intentional exception");
  assert.match(Fields["traceback"] ?? "", /at .*dockerflow\.ts/);
  assert.deepEqual((summary as { Fields: Record<string, unknown> }).Fields["code"], 500);
});

test("logs nothing from a request body", async () => {
  const bodies = [
    body,
    body.slice(0, -2),
    body.replace("plain.so", "no/such"),
    body.replace("plain.so", "x".repeat(255)),
  ];
  for (const sent of bodies) {
    await linesOf("/symbolicate/v5", { method: "POST", body: sent });
    assert.ok(
      !lines.some((line) => line.includes(secret) || line.includes("no/such") || line.includes("xxx")),
    );
  }
});

test("does not log module names that may not exist if the folder can't be read", async () => {
  await using folder = await temporaryFolder();
  const loop = join(folder.path, "loop");
  await symlink(loop, loop);
  await using unlucky = await startTestService({ ELIOT_SYMBOLS_CACHE_DIR: loop });
  await unlucky.symbolicate({ memoryMap: [["secret.so", "A"]], stacks: [[[0, 1]]] });
  const errors = unlucky.log.filter(({ Fields }) => Fields["msg"] === "disk cache can't be read");
  assert.deepEqual(
    errors.map(({ Fields }) => Fields["code"]),
    ["ELOOP"],
  );
  assert.ok(!JSON.stringify(unlucky.log).includes("secret.so"));
});

test("logs the name in a sym file if it is not the requested one, in whatever case", async () => {
  await using folder = await temporaryFolder();
  const id = "000000000000000000000000000000010";
  for (const name of ["one.so", "other.so"]) {
    await mkdir(join(folder.path, name, id), { recursive: true });
    const record = `MODULE Linux x86_64 ${id} ${name === "other.so" ? "else.so" : "One.SO"}`;
    await writeFile(join(folder.path, name, id, `${name}.sym`), `${record}\nFUNC 10 10 0 f\n`);
  }
  await using running = await startTestService({ ELIOT_SYMBOLS_URLS: pathToFileURL(folder.path).href });
  const names = ["one.so", "other.so"];
  const { results } = await running.symbolicate({
    memoryMap: names.map((name) => [name, id]),
    stacks: [names.map((_, index) => [index, 16])],
  });
  assert.deepEqual(Object.values(results[0]?.found_modules ?? {}), [true, true]);
  const told = running.log.filter(({ Fields }) => Fields["msg"] === "sym file has another name");
  assert.deepEqual(
    told.map(({ Severity, Fields }) => [Severity, Fields["module"], Fields["name"]]),
    [[6, `other.so/${id}`, "else.so"]],
  );
});

test("masks the DSN when it logs its configuration", async () => {
  const log: string[] = [];
  const dsn = "http://s3cret@127.0.0.1:9/1";
  await using _ = await startTestService(
    { ELIOT_SECRET_SENTRY_DSN: dsn },
    { logDestination: { write: (line) => void log.push(line) } },
  );
  assert.ok(log.some((line) => line.includes('"observability.sentryDsn":"***"')));
  assert.ok(!log.some((line) => line.includes("s3cret")));
});

test("writes human-readable lines in development", async () => {
  const shown: string[] = [];
  const logDestination = { write: (line: string) => void shown.push(line) };
  await using _ = await startTestService({ ELIOT_LOCAL_DEV_ENV: "true" }, { logDestination });
  assert.match(shown[0] ?? "", /^\[[0-9:.]+\] INFO: configuration /);
});

test("logs the failure of a symbol server once a minute, with a count", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const written: string[] = [];
  const { app } = await createLogs(
    { logLevel: "INFO", localDevelopment: false },
    { write: (line) => void written.push(line) },
  );
  const fail = (message: string, source: string) =>
    app.warn({ err: new Error(message), source }, "download failed");
  const logged = () =>
    written.splice(0).map((line) => {
      const { Fields } = JSON.parse(line) as { Fields: Record<string, unknown> };
      return [Fields["source"], Fields["error"], Fields["repeated"]];
    });
  for (let time = 0; time < 1000; time++) fail("503", "a");
  assert.deepEqual(logged(), [["a", "Error: 503", undefined]]);
  fail("500", "a");
  fail("503", "b");
  assert.deepEqual(logged(), [["a", "Error: 500", undefined], ["b", "Error: 503", undefined]]); // prettier-ignore
  context.mock.timers.tick(60_000);
  assert.deepEqual(logged(), [["a", "Error: 503", 999]]);
  fail("503", "a");
  assert.deepEqual(logged(), []);
  context.mock.timers.tick(60_000);
  assert.deepEqual(logged(), [["a", "Error: 503", 1]]);
  context.mock.timers.tick(60_000);
  fail("503", "a");
  assert.deepEqual(logged(), [["a", "Error: 503", undefined]]);
});

test("writes little to the log for many requests whose modules can't be downloaded", async () => {
  await using server = await SymbolServer.start(reply("503 Busy"));
  await using other = await startTestService({
    ELIOT_SYMBOLS_URLS: server.url,
    "sources.downloadAttempts": "1",
  });
  for (let index = 0; index < 20; index++) {
    const memoryMap = Array.from({ length: 50 }, (_, module) => [`${index}-${module}.so`, "AB"]);
    await other.symbolicate({ memoryMap, stacks: [memoryMap.map((_, module) => [module, 1])] });
  }
  const failures = other.log.filter(({ Fields }) => Fields["msg"] === "download failed");
  assert.ok(failures.length >= 1 && failures.length <= 3, `${failures.length} lines`);
});
