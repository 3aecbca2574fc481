/** Faults of the symbol server: `FAULTS.md`'s second section. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startTestService } from "../support/service.ts";
import { certificatePath, inSequence, reply, SymbolServer, type Script } from "../support/symbolServer.ts";
import { downloadFaults, wholeDownloads } from "../support/downloadFaults.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { withoutRetries, outcomes, startHarness, jobOf, type Harness } from "../support/harness.ts";

const healthy = syntheticModule("healthy.so");
const faulty = downloadFaults.map((_, index) => syntheticModule(`faulty${index}.so`));
const fine = wholeDownloads.map((_, index) => syntheticModule(`fine${index}.so`));
const modules = [healthy, ...faulty, ...fine];
const limits = {
  "sources.stallTimeoutMs": "1000",
  "sources.headersTimeoutMs": "1000",
  "sources.downloadTimeoutMs": "2000",
  "sources.maxSymFileBytes": "2000000",
  "sources.maxDownloadBytes": "1000000000",
  // Those of this file have their own test below.
  "sources.breakerCooldownMs": "1",
};

let harness: Harness;
let remembering: Harness;
before(async () => {
  harness = await startHarness(modules, { ...withoutRetries, ...limits });
  remembering = await startHarness(modules, {
    ...withoutRetries,
    ...limits,
    "sources.notFoundTtlMs": "600000",
  });
});
after(() => Promise.all([harness, remembering].map((each) => each[Symbol.asyncDispose]())));

for (const [index, { what, script, status, isRemembered, hits = 1 }] of downloadFaults.entries()) {
  const module = faulty[index]!;

  test(`answers all modules but one for which a server has ${what}, and that one once the server has recovered`, async () => {
    harness.fault(module, script(module));
    const others = (await harness.kept()).filter((name) => name !== healthy.name);
    const [first, second] = await harness.ask(healthy, module);
    assert.match(first ?? "", /^right/);
    assert.equal(second, `bare, ${status}`);
    assert.equal(harness.hits(module), hits);
    assert.deepEqual(await harness.kept(), [...others, healthy.name].toSorted());
    assert.deepEqual(await harness.ask(module), [`bare, ${status}`]);
    assert.equal(harness.hits(module), 2 * hits);
    harness.mend(module);
    assert.deepEqual(await harness.ask(module), ["right, converted"]);
    assert.deepEqual(await harness.ask(module), ["right, cached"]);
    assert.deepEqual(await harness.kept(), [...others, healthy.name, module.name].toSorted());
  });

  if (isRemembered)
    test(`does not ask again for ten minutes after ${what}`, async () => {
      remembering.fault(module, script(module));
      for (let time = 0; time < 3; time++)
        assert.deepEqual(await remembering.ask(module), [`bare, ${status}`]);
      assert.equal(remembering.hits(module), 1);
    });
}

for (const [index, [how, script]] of wholeDownloads.entries()) {
  const module = fine[index]!;
  test(`accepts a sym file that arrives ${how}`, async () => {
    harness.fault(module, script(module));
    assert.deepEqual(await harness.ask(module), ["right, converted"]);
    assert.ok((await harness.kept()).includes(module.name));
  });
}

for (const [retryAfter, hits] of [
  ["0", 2],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 2],
  ["-5", 2],
  ["soon", 2],
  ["", 2],
  ["86400", 1],
  ["9".repeat(400), 1],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 1],
] as const) {
  const shown = retryAfter.length > 40 ? "four hundred nines" : JSON.stringify(retryAfter);
  test(`asks ${hits} times if a 429 has Retry-After: ${shown}, and not again soon if it is long`, async () => {
    await using server = await SymbolServer.start(reply("429 Busy", "", { "Retry-After": retryAfter }));
    await using service = await startTestService({
      ...withoutRetries,
      ELIOT_SYMBOLS_URLS: server.url,
      "sources.downloadAttempts": "2",
    });
    const status = async () => outcomes(await service.symbolicate(jobOf([healthy])), [healthy])[0]?.text;
    assert.equal(await status(), "bare, download_failed");
    assert.equal(server.hits.length, hits);
    assert.equal(await status(), "bare, download_failed");
    assert.equal(server.hits.length, hits === 1 ? 1 : 4);
  });
}

test("tries the next source if one refuses connections, does not resolve, or has an invalid certificate or no TLS", async () => {
  await using untrusted = await SymbolServer.startTls(reply("200 OK", "never sent"));
  await using noTls = await SymbolServer.start(() => {});
  const stalling = noTls.url.replace("http:", "https:");
  const bad = ["http://127.0.0.1:1/", "http://nosuch.invalid/", untrusted.url, stalling];
  await using other = await startHarness([healthy], withoutRetries);
  await other.restart({
    ELIOT_SYMBOLS_URLS: [...bad, other.server.url].join(),
    "sources.connectTimeoutMs": "1000",
  });
  assert.deepEqual(await other.ask(healthy), ["right, converted"]);
  const unknown = syntheticModule("unknown.so");
  assert.match((await other.ask(unknown)).join(), /^bare, (download_failed|timeout)$/);
  assert.deepEqual(untrusted.hits, []);
  const heartbeat = await fetch(`${other.service.url}/__heartbeat__`);
  const { status, details } = (await heartbeat.json()) as { status: string; details: object };
  assert.deepEqual([heartbeat.status, status], [200, "warning"]);
  for (const address of bad) assert.ok(JSON.stringify(details).includes(address), address);
});

test("accepts a certificate from NODE_EXTRA_CA_CERTS", async () => {
  const module = syntheticModule("secret.so");
  await using server = await SymbolServer.startTls(reply("200 OK", module.symFile));
  await using other = await startHarness([module], {
    ...withoutRetries,
    NODE_EXTRA_CA_CERTS: certificatePath,
  });
  await other.restart({ ELIOT_SYMBOLS_URLS: server.url });
  assert.deepEqual(await other.ask(module), ["right, converted"]);
  assert.deepEqual(server.hits, [module.path]);
});

test("answers cached modules during an outage, fails new ones at once, and recovers afterwards", async () => {
  const news = Array.from({ length: 12 }, (_, index) => syntheticModule(`new${index}.so`));
  await using other = await startHarness([healthy, ...news], {
    ...withoutRetries,
    "sources.breakerCooldownMs": "1000",
  });
  assert.deepEqual(await other.ask(healthy), ["right, converted"]);
  const hitsBefore = other.server.hits.length;
  for (const module of news) other.fault(module, reply("503 Down"));
  for (const module of news.slice(0, 8))
    assert.deepEqual(await other.ask(healthy, module), ["right, cached", "bare, download_failed"]);
  assert.equal(other.server.hits.length - hitsBefore, 5);

  // Over, but slow: one download finds out, and the rest need not wait for its end.
  const answered = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const [probe, next] = [news[8]!, news[9]!];
  other.fault(probe, async (socket) => {
    answered.resolve();
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: ${probe.symFile.length}\r\n\r\n${probe.symFile.slice(0, 50)}`,
    );
    await goOn.promise;
    socket.end(probe.symFile.slice(50));
  });
  other.mend(next);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const probed = other.ask(probe);
  await answered.promise;
  let outcome;
  do [outcome] = await other.ask(next);
  while (outcome === "bare, download_failed");
  assert.equal(outcome, "right, converted");
  goOn.resolve();
  assert.deepEqual(await probed, ["right, converted"]);
  assert.deepEqual(await other.kept(), [healthy, next, probe].map(({ name }) => name).toSorted());
});

test("keeps asking a source for other modules though it always sends the same ones damaged", async () => {
  const damaged = Array.from({ length: 6 }, (_, index) => syntheticModule(`damaged${index}.so`));
  const good = Array.from({ length: 6 }, (_, index) => syntheticModule(`good${index + 10}.so`));
  const news = [syntheticModule("new.so")];
  await using other = await startHarness([...damaged, ...good, ...news], {
    ...withoutRetries,
    "sources.downloadAttempts": "3",
    "sources.breakerCooldownMs": "3600000",
  });
  const cutOff =
    (text: string): Script =>
    (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text.slice(0, -1)}`);
  const badGzip = (text: string) => gzipSync(text).fill(0, 20, 40);
  for (const [index, module] of damaged.entries())
    other.fault(module, index % 2 === 0 ? cutOff(module.symFile) : reply("200 OK", badGzip(module.symFile)));
  for (const module of good) {
    const statuses = await other.ask(module, ...damaged);
    assert.deepEqual(statuses, ["right, converted", ...damaged.map(() => "bare, download_failed")]);
  }
  // Retries of damaged files leave some to other modules.
  const [temporary] = news;
  other.fault(temporary!, inSequence(reply("503 Busy"), reply("200 OK", temporary!.symFile)));
  assert.deepEqual(await other.ask(temporary!), ["right, converted"]);
});

test("fails other modules at once while a single download checks whether an outage is over", async () => {
  const news = Array.from({ length: 8 }, (_, index) => syntheticModule(`new${index}.so`));
  await using other = await startHarness(news, {
    ...withoutRetries,
    "sources.breakerCooldownMs": "200",
    "sources.headersTimeoutMs": "60000",
  });
  for (const module of news.slice(0, 5)) {
    other.fault(module, reply("503 Down"));
    await other.ask(module);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const [, , , , , probe, next] = news;
  other.fault(probe!, async (socket, path) => {
    asked.resolve();
    await goOn.promise;
    await reply("200 OK", probe!.symFile)(socket, path);
  });
  const probed = other.ask(probe!);
  await asked.promise;
  assert.deepEqual(await other.ask(next!), ["bare, download_failed"]);
  assert.equal(other.hits(next!), 0);
  goOn.resolve();
  assert.deepEqual(await probed, ["right, converted"]);
  assert.deepEqual(await other.ask(next!), ["right, converted"]);
});

test("retries within a request after each of several temporary failures", async () => {
  const module = syntheticModule("passing.so");
  await using other = await startHarness([module], { ...withoutRetries, "sources.downloadAttempts": "4" });
  other.fault(
    module,
    inSequence(
      reply("500 Oh"),
      reply("503 Busy", "", { "Retry-After": "0" }),
      (socket) => socket.resetAndDestroy(),
      reply("200 OK", module.symFile),
    ),
  );
  assert.deepEqual(await other.ask(module), ["right, converted"]);
  assert.equal(other.hits(module), 4);
});

for (const [status, outcome] of [
  ["404 Not Found", "bare, not_found"],
  ["302 Found", "right, converted"],
  ["503 Busy", "bare, download_failed"],
] as const)
  test(`does not wait for the body of ${status}, and cuts off a slow one`, async () => {
    const module = syntheticModule("slowBody.so");
    await using other = await startHarness([module], { ...withoutRetries, ELIOT_MAX_DOWNLOADS: "1" });
    let isWhole = false;
    const closed = Promise.withResolvers<void>();
    const trickle: Script = (socket) => {
      socket.write(`HTTP/1.1 ${status}\r\nLocation: ${module.path}\r\nContent-Length: 400\r\n\r\n`);
      const timer = setInterval(() => {
        socket.write(".");
        isWhole = socket.bytesWritten > 400;
      }, 50);
      socket.on("close", () => closed.resolve(clearInterval(timer)));
    };
    other.fault(module, inSequence(trickle, reply("200 OK", module.symFile)));
    assert.deepEqual(await other.ask(module), [outcome]);
    await closed.promise;
    assert.ok(!isWhole);
    assert.deepEqual(await other.ask(module), [
      outcome.startsWith("right") ? "right, cached" : "right, converted",
    ]);
  });

test("reuses a connection after the body of a 404 that arrives a little later", async () => {
  const missing = ["first.so", "second.so"].map((name) => syntheticModule(name));
  await using other = await startHarness(missing, withoutRetries);
  const sockets = new Set<Socket>();
  for (const module of missing)
    other.fault(module, (socket) => {
      sockets.add(socket);
      socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot ");
      setTimeout(() => socket.write("found"), 50);
    });
  for (const module of missing) {
    assert.deepEqual(await other.ask(module), ["bare, not_found"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.equal(sockets.size, 1);
});
