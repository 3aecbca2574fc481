import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { temporaryFolder } from "./support/service.ts";
import { environment } from "./support/environment.ts";
import { root, startProcess } from "./support/serviceProcess.ts";
import { SymbolServer } from "./support/symbolServer.ts";
import { waitUntil } from "./support/waitUntil.ts";

const name = "libtest.so";
const id = "0123456789ABCDEF0123456789ABCDEF0";
const symFile = `MODULE Linux x86_64 ${id} ${name}\nFUNC 1000 10 0 main\n`;
const body = JSON.stringify({ memoryMap: [[name, id]], stacks: [[[0, 0x1008]]] });

const withWarmUp = { "server.maxStartMs": "1800" };

/** A symbol server that answers once it is told to go on. */
async function startHoldingServer() {
  const goOn = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = await SymbolServer.start(async (socket) => {
    asked.resolve();
    await goOn.promise;
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${symFile.length}\r\n\r\n${symFile}`);
  });
  return {
    url: server.url,
    asked: asked.promise,
    goOn: () => goOn.resolve(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A service that can be ended while a sym file is on its way that never comes; `asked` once it has asked for that. */
async function startDownloading(env: Record<string, string>) {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  const server = starting.use(await startHoldingServer());
  const service = starting.use(
    await startProcess({
      ELIOT_SYMBOLS_CACHE_DIR: folder.path,
      ELIOT_SYMBOLS_URLS: server.url,
      ...env,
    }),
  );
  const running = starting.move();
  return { service, asked: server.asked, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function standardError(child: ChildProcess): Promise<string> {
  return child.stderr ? await text(child.stderr) : "";
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`exits with code 0 after ${signal} although clients keep connections open`, async () => {
    await using folder = await temporaryFolder();
    await using service = await startProcess({ ELIOT_SYMBOLS_CACHE_DIR: folder.path });
    await (await fetch(`${service.url}/__lbheartbeat__`)).text();
    service.signal(signal);
    assert.equal(await service.exit, 0);
    const left = await readdir(folder.path, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isFile()),
      [],
    );
  });
}

test("exits with code 0 after a SIGTERM during startup", async () => {
  await using folder = await temporaryFolder();
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, PORT: "0", ELIOT_SYMBOLS_CACHE_DIR: folder.path },
  });
  child.stdout.once("data", () => child.kill("SIGTERM"));
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("removes the files of a process that was killed during its warm-up", async () => {
  await using folder = await temporaryFolder();
  await using temporary = await temporaryFolder();
  const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path, TMPDIR: temporary.path };
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    stdio: "ignore",
    env: { ...process.env, PORT: "0", ...env },
  });
  await waitUntil(async () => (await readdir(temporary.path)).length > 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal((await readdir(temporary.path)).length, 1);
  await using service = await startProcess({ ...env, ...withWarmUp });
  service.signal("SIGTERM");
  assert.equal(await service.exit, 0);
  assert.deepEqual(await readdir(temporary.path), []);
});

test("exits with code 0 after a SIGTERM while it loads its modules", async () => {
  await using folder = await temporaryFolder();
  const withoutRetries = `
    import { registerHooks } from "node:module";
    registerHooks({
      load(url, context, next) {
        if (url.endsWith("/src/service.ts")) process.kill(process.pid, "SIGTERM");
        return next(url, context);
      },
    });`;
  const child = spawn(
    process.execPath,
    ["--import", `data:text/javascript,${withoutRetries}`, "src/main.ts"],
    {
      cwd: root,
      stdio: "ignore",
      env: { ...process.env, PORT: "0", ELIOT_SYMBOLS_CACHE_DIR: folder.path },
    },
  );
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("exits at once although a client has sent only half of its headers", async () => {
  await using folder = await temporaryFolder();
  await using service = await startProcess({
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    ELIOT_DRAIN_TIMEOUT: "600",
  });
  const client = connect(Number(new URL(service.url).port), "127.0.0.1");
  client.write("GET /__lbheartbeat__ HTTP/1.1\r\nHost: x\r\n\r\nGET /__lbheart");
  await once(client, "data");
  const left = once(client, "close");
  service.signal("SIGTERM");
  assert.equal(await service.exit, 0);
  await left;
});

test("answers a request that arrives together with SIGTERM, on a new connection", async () => {
  await using folder = await temporaryFolder();
  await using service = await startProcess({ ELIOT_SYMBOLS_CACHE_DIR: folder.path });
  const client = connect(Number(new URL(service.url).port), "127.0.0.1");
  client.write("GET /__version__ HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(client, "connect");
  service.signal("SIGTERM");
  assert.match(await text(client), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(await service.exit, 0);
});

test("passes signals and its exit code through npm", async () => {
  await using folder = await temporaryFolder();
  const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path, ...withWarmUp };
  await using service = await startProcess(env, ["npm", "start", "--silent"]);
  service.signal("SIGTERM");
  assert.equal(await service.exit, 0);
});

test("answers requests accepted before SIGTERM, fails heartbeats meanwhile, and then accepts nothing", async () => {
  await using folder = await temporaryFolder();
  await using server = await startHoldingServer();
  await using service = await startProcess({
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    ELIOT_SYMBOLS_URLS: server.url,
    ELIOT_DRAIN_DELAY: "1",
  });
  const summary = service.logged('"path":"/symbolicate/v5"');
  const response = fetch(`${service.url}/symbolicate/v5`, { method: "POST", body });
  await server.asked;
  service.signal("SIGTERM");
  while ((await fetch(`${service.url}/__lbheartbeat__`)).status !== 503) continue;
  assert.equal((await fetch(`${service.url}/__heartbeat__`)).status, 503);
  assert.equal((await fetch(`${service.url}/__version__`)).status, 200);
  server.goOn();
  assert.match(await (await response).text(), /"function":"main"/);
  assert.equal(await service.exit, 0);
  await assert.rejects(fetch(`${service.url}/__version__`));
  assert.match(await summary, /"Type":"request\.summary"/);
});

test("answers requests accepted before SIGHUP, which arrives twice when its terminal closes", async () => {
  await using folder = await temporaryFolder();
  await using server = await startHoldingServer();
  await using service = await startProcess({
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    ELIOT_SYMBOLS_URLS: server.url,
  });
  const closing = service.logged("closing");
  const response = fetch(`${service.url}/symbolicate/v5`, { method: "POST", body });
  await server.asked;
  service.signal("SIGHUP");
  await closing;
  service.signal("SIGHUP");
  // A hurried end takes 200 ms.
  await setTimeout(500);
  server.goOn();
  assert.match(await (await response).text(), /"function":"main"/);
  assert.equal(await service.exit, 0);
});

test("exits as soon as it has answered all accepted requests, although the client keeps the connection", async () => {
  await using folder = await temporaryFolder();
  await using server = await startHoldingServer();
  await using service = await startProcess({
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    ELIOT_SYMBOLS_URLS: server.url,
    ELIOT_DRAIN_TIMEOUT: "600",
  });
  const closing = service.logged("closing");
  const response = fetch(`${service.url}/symbolicate/v5`, { method: "POST", body });
  await server.asked;
  service.signal("SIGTERM");
  await closing;
  server.goOn();
  assert.match(await (await response).text(), /"function":"main"/);
  const patience = once(AbortSignal.timeout(10_000), "abort").then(() => "still running");
  assert.equal(await Promise.race([service.exit, patience]), 0);
});

for (const how of ["a second signal", "a second signal in ELIOT_DRAIN_DELAY", "ELIOT_DRAIN_TIMEOUT"]) {
  test(`aborts the remaining requests after ${how}`, async () => {
    await using downloading = await startDownloading({
      ELIOT_DRAIN_TIMEOUT: how === "ELIOT_DRAIN_TIMEOUT" ? "0.1" : "600",
      ELIOT_DRAIN_DELAY: how.endsWith("DELAY") ? "600" : "0",
    });
    const { service, asked } = downloading;
    const response = assert.rejects(fetch(`${service.url}/symbolicate/v5`, { method: "POST", body }));
    await asked;
    const closing = service.logged("closing");
    service.signal("SIGTERM");
    // Two signals at once may be delivered as one.
    await closing;
    if (how.startsWith("a second signal")) service.signal("SIGTERM");
    await response;
    assert.equal(await service.exit, 0);
  });
}

test("closes a connection whose client requested a tunnel after its request after ELIOT_DRAIN_TIMEOUT", async () => {
  await using downloading = await startDownloading({ ELIOT_DRAIN_TIMEOUT: "0.1" });
  const { service, asked } = downloading;
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1").on("error", () => {});
  const head = `POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(`${head}${body}CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n`);
  await asked;
  service.signal("SIGTERM");
  const patience = once(AbortSignal.timeout(10_000), "abort").then(() => "still running");
  assert.equal(await Promise.race([service.exit, patience]), 0);
});

for (const how of ["has stalled", "goes on and on"]) {
  test(`exits at once although an abandoned download ${how}`, async () => {
    await using folder = await temporaryFolder();
    const underWay = Promise.withResolvers<void>();
    await using server = await SymbolServer.start(async (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${symFile}`);
      underWay.resolve();
      const lines = Readable.from(repeat("1000 10 1 0\n".repeat(10_000)));
      if (how !== "has stalled") await pipeline(lines, socket).catch(() => {});
    });
    await using service = await startProcess({
      ELIOT_SYMBOLS_CACHE_DIR: folder.path,
      ELIOT_SYMBOLS_URLS: server.url,
      ELIOT_DRAIN_TIMEOUT: "600",
    });
    const leaving = new AbortController();
    const { signal } = leaving;
    const response = assert.rejects(fetch(`${service.url}/symbolicate/v5`, { method: "POST", body, signal }));
    await underWay.promise;
    const left = service.logged('"left":true');
    leaving.abort();
    await Promise.all([response, left]);
    service.signal("SIGTERM");
    const patience = once(AbortSignal.timeout(10_000), "abort").then(() => "still running");
    assert.equal(await Promise.race([service.exit, patience]), 0);
  });
}

function* repeat(line: string): Generator<string> {
  for (;;) yield line;
}

for (const [variable, value] of [
  ["PORT", "http"],
  ["PORT", "70000"],
  ["ELIOT_SYMBOLS_CACHE_MAX_SIZE", "plenty"],
  ["ELIOT_SYMBOLS_URLS", "symbols.mozilla.org"],
  ["ELIOT_SYMBOLS_URLS", "ftp://symbols.mozilla.org"],
  ["ELIOT_SYMBOLS_URLS", "file:///symbols%2Ftry"],
  ["ELIOT_LOGGING_LEVEL", "loud"],
  ["ELIOT_DRAIN_TIMEOUT", "-1"],
  ["ELIOT_SYMBOLS_CACHE_MAX_SIZE", "10"],
  ["ELIOT_SHARED_CACHE_URL", "s3://Bucket"],
  ["ELIOT_SHARED_CACHE_URL", "s3://bucket/../another"],
  ["ELIOT_SHARED_CACHE_URL", "s3://bucket/a//b"],
  ["ELIOT_SHARED_CACHE_ENDPOINT", "http://store:9000/folder"],
  ["ELIOT_SHARED_CACHE_ENDPOINT", "store:9000"],
  ["AWS_REGION", "eu/west"],
] as const) {
  test(`does not start with ${variable}=${value}, and explains that in one line`, async () => {
    const child = spawn(process.execPath, ["src/main.ts"], {
      cwd: root,
      env: { ...process.env, [variable]: value },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [message, [code]] = await Promise.all([standardError(child), once(child, "exit")]);
    assert.equal(code, 1);
    assert.match(message, new RegExp(`^${variable} .*${value}.*\\n$`));
  });
}

test("does not start with an invalid Sentry DSN, and does not print it", async () => {
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    env: { ...process.env, ELIOT_SECRET_SENTRY_DSN: "https://sentry.example/s3cret" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [message, [code]] = await Promise.all([standardError(child), once(child, "exit")]);
  assert.deepEqual([code, message], [1, "ELIOT_SECRET_SENTRY_DSN is not a DSN\n"]);
});

for (const [missing, given] of [
  ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
  ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
] as const)
  test(`does not start with a shared cache and only ${given}`, async () => {
    const key = { [given]: "s3cret", [missing]: "" };
    const child = spawn(process.execPath, ["src/main.ts"], {
      cwd: root,
      env: { ...process.env, ...key, ELIOT_SHARED_CACHE_URL: "s3://bucket" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [message, [code]] = await Promise.all([standardError(child), once(child, "exit")]);
    assert.deepEqual([code, message], [1, `${missing} is empty, but ${given} is not\n`]);
  });

test("reports in one line that its port is in use", async () => {
  await using folder = await temporaryFolder();
  const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path };
  await using first = await startProcess(env);
  const port = new URL(first.url).port;
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    env: { ...process.env, ...env, PORT: port },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [message, [code]] = await Promise.all([standardError(child), once(child, "exit")]);
  const reason = `listen EADDRINUSE: address already in use 127.0.0.1:${port}`;
  assert.deepEqual(
    [code, message],
    [1, `can't listen on ${new URL(first.url).host} (ELIOT_HOST, PORT): ${reason}\n`],
  );
  first.signal("SIGTERM");
  assert.equal(await first.exit, 0);
});

test("runs no thread at a higher priority than its process", async () => {
  await using folder = await temporaryFolder();
  // Converter threads start with the warm-up.
  const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path, ...withWarmUp };
  const command = ["nice", "--adjustment=15", process.execPath, "src/main.ts"];
  await using service = await startProcess(env, command);
  const { status } = (await (await fetch(`${service.url}/__heartbeat__`)).json()) as { status: string };
  assert.equal(status, "ok");
  const threads = `/proc/${service.pid}/task`;
  // Behind the name in brackets: state and 15 numbers, then the niceness.
  const niceness = (await readdir(threads)).map((thread) =>
    Number(readFileSync(`${threads}/${thread}/stat`, "utf8").split(") ")[1]?.split(" ")[16]),
  );
  assert.deepEqual([...new Set(niceness)], [15]);
});

test("keeps responding after the reader of its log has gone", async () => {
  await using folder = await temporaryFolder();
  await using service = await startProcess({ ELIOT_SYMBOLS_CACHE_DIR: folder.path });
  service.stopReadingLog();
  for (let time = 0; time < 5; time++) assert.equal((await fetch(`${service.url}/__version__`)).status, 200);
  service.signal("SIGTERM");
  assert.equal(await service.exit, 0);
});

for (const [handles, severity, words] of [
  [100, 3, "limit of open files (ulimit -n) is too low"],
  [900, 4, "leaves room for fewer connections"],
] as const)
  test(`logs at severity ${severity} how many open files it needs if the limit is ${handles}`, async () => {
    await using folder = await temporaryFolder();
    const command = ["-c", `ulimit -n ${handles}; exec "${process.execPath}" src/main.ts`];
    const child = spawn("sh", command, {
      cwd: root,
      stdio: ["ignore", "pipe", "ignore"],
      env: {
        ...process.env,
        PORT: "0",
        ...environment({ ELIOT_SYMBOLS_CACHE_DIR: folder.path, "server.maxConnections": "600" }),
      },
    });
    let told;
    for await (const line of createInterface(child.stdout)) {
      if (line.includes(words))
        told = JSON.parse(line) as { Severity: number; Fields: Record<string, unknown> };
      if (line.includes("listening on")) break;
    }
    child.kill("SIGKILL");
    const { msg: _, ...fields } = told?.Fields ?? {};
    assert.equal(told?.Severity, severity);
    // Two threads with 128 symcaches each, 12 downloads, and some for all else.
    const required = 380;
    const maxConnections = Math.max(handles - required, handles / 4);
    assert.deepEqual(fields, { allowed: handles, required, maxConnections });
  });
