/** Its end, and those who listen to it: the second part of `FAULTS.md`'s section on load and life. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startStatsdServer } from "../support/statsdServer.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { postHead, rawClient } from "../support/rawClient.ts";
import { times } from "../support/scale.ts";
import { withoutRetries, jobOf, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const modules = Array.from({ length: 30 }, (_, index) => syntheticModule(`module${index + 10}.so`, 500));
const [healthy] = modules as [SyntheticModule];

/** Clients that ask on and on until nobody takes their connections; each answer must be whole and right. */
async function askOn(harness: Harness, clients: number): Promise<number> {
  let responses = 0;
  const client = async (first: number) => {
    for (let turn = 0; ; turn++) {
      const module = modules[(first + turn) % modules.length]!;
      const job = JSON.stringify(jobOf([module]));
      let connection;
      try {
        connection = await rawClient(harness.service.url);
      } catch {
        return;
      }
      using _ = connection;
      connection.send(postHead(job.length) + job);
      // Never read by the service where it came after the port was closed.
      const response = await connection.response().catch(() => undefined);
      if (!response) return;
      assert.equal(response.status, 200);
      const length = Number(/content-length: ([0-9]+)/.exec(response.head)?.[1]);
      assert.equal(Buffer.byteLength(response.body), length);
      assert.ok(response.body.includes(module.frames[0]!.function));
      responses++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index * 3)));
  return responses;
}

test("answers all accepted requests after SIGTERM under load, flushes metrics, and leaves no temporary file", async (t) => {
  const rounds = times(1, 20);
  let responses = 0;
  for (let round = 0; round < rounds; round++) {
    await using statsd = await startStatsdServer();
    await using harness = await startHarness(modules, { ...withoutRetries, ...statsd.env });
    const closing = harness.service.logged("closing");
    const asking = askOn(harness, 12);
    await setTimeout(300);
    harness.service.signal("SIGTERM");
    await closing;
    responses += await asking;
    assert.equal(await harness.service.exit, 0);
    assert.ok((await statsd.received(/symbolicate\.api/)).length > 0);
    const names = await harness.kept();
    assert.ok(
      names.every((name) => name.startsWith("module")),
      String(names),
    );
    await harness.restart();
    assert.match((await harness.ask(healthy))[0] ?? "", /^right/);
  }
  t.diagnostic(`${responses} answers while SIGTERM came ${rounds} times`);
});

for (const where of ["request", "timer"] as const)
  test(`logs an uncaught error in a ${where} as fatal, answers all accepted requests, and exits with code 1`, async () => {
    const crash = `process.on("SIGUSR2", () => setTimeout(() => { throw new Error("made to crash") }))`;
    const reject = `process.on("SIGUSR2", () => { void Promise.reject(new Error("made to crash")) })`;
    const code = where === "timer" ? crash : reject;
    await using harness = await startHarness(modules, withoutRetries, () => [
      process.execPath,
      "--import",
      `data:text/javascript,${encodeURIComponent(code)}`,
      "src/main.ts",
    ]);
    const goOn = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    harness.fault(healthy, async (socket) => {
      asked.resolve();
      await goOn.promise;
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${healthy.symFile.length}\r\n\r\n${healthy.symFile}`);
    });
    const response = harness.ask(healthy);
    await asked.promise;
    const [fatal, closing] = [harness.service.logged("made to crash"), harness.service.logged("closing")];
    harness.service.signal("SIGUSR2");
    assert.equal((JSON.parse(await fatal) as { Severity: number }).Severity, 2);
    await closing;
    goOn.resolve();
    assert.deepEqual(await response, ["right, converted"]);
    assert.equal(await harness.service.exit, 1);
    assert.deepEqual(await harness.kept(), [healthy.name]);
  });

test("answers while statsd and Sentry are down or hang and its log is not read", async () => {
  const hanging = createServer(() => {}).listen(0, "127.0.0.1");
  await once(hanging, "listening");
  const { port } = hanging.address() as { port: number };
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    ELIOT_STATSD_HOST: "nosuch.invalid",
    ELIOT_SECRET_SENTRY_DSN: `http://key@127.0.0.1:${port}/1`,
    ELIOT_LOGGING_LEVEL: "DEBUG",
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  assert.equal((await fetch(`${harness.service.url}/__error__`)).status, 500);
  harness.service.stopReadingLog();
  for (const module of modules) assert.match((await harness.ask(module))[0] ?? "", /^right/);
  assert.equal((await fetch(`${harness.service.url}/__error__`)).status, 500);
  assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
  harness.service.signal("SIGTERM");
  assert.equal(await harness.service.exit, 0);
  hanging.close();
  await harness.restart({ ELIOT_STATSD_HOST: "127.0.0.1", ELIOT_STATSD_PORT: "1", ELIOT_SECRET_SENTRY_DSN: "http://key@127.0.0.1:1/1" }); // prettier-ignore
  assert.equal((await fetch(`${harness.service.url}/__error__`)).status, 500);
  assert.deepEqual(
    await harness.ask(...modules),
    modules.map(() => "right, cached"),
  );
});

test("responds and exits even after the reader of its log has gone", async () => {
  await using harness = await startHarness(modules, { ...withoutRetries, ELIOT_DRAIN_TIMEOUT: "600" });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  harness.service.stallLog();
  const { peakMegabytes: before } = await harness.resources();
  // 1 MB of log, more than a pipe holds; with the big counts 35 MB, more than is kept of it.
  const headers = { "user-agent": "x".repeat(256), "accept-language": "x".repeat(64) };
  for (let round = 0; round < times(20, 500); round++)
    await Promise.all(Array.from({ length: 100 }, () => fetch(`${harness.service.url}/__lbheartbeat__`, { headers }).then((response) => response.text()))); // prettier-ignore
  assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
  const { peakMegabytes: after } = await harness.resources();
  assert.ok(after < before + 100, `${before} MB, then ${after} MB`);
  harness.service.signal("SIGTERM");
  assert.equal(await harness.service.exit, 0);
});

test("closes connections after the responses to requests from before SIGTERM", async () => {
  await using harness = await startHarness(modules, withoutRetries);
  const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  harness.fault(healthy, async (socket) => {
    asked.resolve();
    await goOn.promise;
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${healthy.symFile.length}\r\n\r\n${healthy.symFile}`);
  });
  using client = await rawClient(harness.service.url);
  const job = JSON.stringify(jobOf([healthy]));
  client.send(postHead(job.length) + job);
  await asked.promise;
  const closing = harness.service.logged("closing");
  harness.service.signal("SIGTERM");
  await closing;
  goOn.resolve();
  const response = await client.response();
  assert.equal(response.status, 200);
  assert.match(response.head, /\r\nconnection: close$/m);
  assert.equal(await harness.service.exit, 0);
});

for (const connections of ["keep-alive", "new"] as const)
  test(`responds to requests that reach ${connections} connections while the event loop is blocked after SIGTERM`, async () => {
    const block = `process.on("SIGTERM", () => setTimeout(() => setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)), 10))`;
    await using harness = await startHarness(modules, withoutRetries, () => [
      process.execPath,
      "--import",
      `data:text/javascript,${encodeURIComponent(block)}`,
      "src/main.ts",
    ]);
    const connect = () => Promise.all(Array.from({ length: 20 }, () => rawClient(harness.service.url)));
    const job = JSON.stringify(jobOf([healthy]));
    const request = postHead(job.length) + job;
    const kept = connections === "keep-alive" ? await connect() : [];
    for (const client of kept) {
      client.send(request);
      assert.equal((await client.response()).status, 200);
    }
    const closing = harness.service.logged("closing");
    harness.service.signal("SIGTERM");
    await closing;
    await setTimeout(200);
    const clients = connections === "keep-alive" ? kept : await connect();
    for (const client of clients) client.send(request);
    for (const client of clients) {
      const { status, head } = await client.response();
      assert.equal(status, 200);
      assert.match(head, /\r\nconnection: close$/m);
    }
    assert.equal(await harness.service.exit, 0);
  });

test("limits connections so that enough file handles are left", async () => {
  const start = ["sh", "-c", `ulimit -n 500; exec ${process.execPath} src/main.ts`];
  await using harness = await startHarness(modules, withoutRetries, () => start);
  for (const module of modules.slice(0, 10)) await harness.ask(module);
  const kept = await harness.kept();
  await harness.restart();
  const clients = await Promise.all(Array.from({ length: 600 }, () => rawClient(harness.service.url)));
  const [first] = clients;
  for (const module of modules) {
    const job = JSON.stringify(jobOf([module]));
    first!.send(postHead(job.length) + job);
    const { status, body } = await first!.response();
    assert.equal(status, 200);
    assert.ok(body.includes(module.frames[0]!.function), module.name);
  }
  assert.equal(harness.server.hits.length, modules.length);
  for (const client of clients) client[Symbol.dispose]();
  assert.deepEqual(kept, modules.slice(0, 10).map(({ name }) => name)); // prettier-ignore
  assert.equal((await harness.kept()).length, modules.length);
});

test("reports SIGTERM in both heartbeats, and answers them at once while other requests wait", async () => {
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    "sources.headersTimeoutMs": "60000",
    ELIOT_DRAIN_DELAY: "600",
  });
  for (const module of modules) harness.fault(module, () => {});
  const waiting = modules.map((module) => harness.ask(module).catch(() => []));
  await waitUntil(() => harness.server.hits.length >= 12);
  const statuses = async () => {
    const paths = ["/__heartbeat__", "/__lbheartbeat__", "/__version__"];
    return Promise.all(paths.map(async (path) => (await fetch(harness.service.url + path)).status));
  };
  assert.deepEqual(await statuses(), [200, 200, 200]);
  const closing = harness.service.logged("closing");
  harness.service.signal("SIGTERM");
  await closing;
  assert.deepEqual(await statuses(), [503, 503, 200]);
  harness.service.signal("SIGKILL");
  await Promise.all(waiting);
});
