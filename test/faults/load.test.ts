/** More than fits at once: the first part of `FAULTS.md`'s section on load. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { V5Response } from "../support/service.ts";
import { reply, type Script } from "../support/symbolServer.ts";
import { syntheticModule, symcacheOf, type SyntheticModule } from "../support/syntheticModule.ts";
import { postHead, rawClient } from "../support/rawClient.ts";
import { isWhole, times } from "../support/scale.ts";
import { percentile, steadyLoad, type Taken } from "../support/steadyLoad.ts";
import { withoutRetries, jobOf, outcomes, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const healthy = syntheticModule("healthy.so");
const news = Array.from({ length: 12 }, (_, number) => syntheticModule(`new${number + 10}.so`));
const body = JSON.stringify(jobOf([healthy]));

/** Lets the server hold its answers for modules back until it is told to go on. */
function hold(harness: Harness, modules: SyntheticModule[]) {
  const goOn = Promise.withResolvers<void>();
  const script =
    (module: SyntheticModule): Script =>
    async (socket, path) => {
      await goOn.promise;
      await reply("200 OK", module.symFile)(socket, path);
    };
  for (const module of modules) harness.fault(module, script(module));
  return { goOn: () => goOn.resolve() };
}

async function heartbeat(harness: Harness): Promise<Record<string, string>> {
  const response = await fetch(`${harness.service.url}/__heartbeat__`);
  return ((await response.json()) as { checks: Record<string, string> }).checks;
}

test("downloads and converts once for a hundred concurrent requests, even if the first client disconnects", async () => {
  const [module] = news as [SyntheticModule];
  await using harness = await startHarness(news, withoutRetries);
  const held = hold(harness, [module]);
  using first = await rawClient(harness.service.url);
  const job = JSON.stringify(jobOf([module]));
  first.send(postHead(job.length) + job);
  await waitUntil(() => harness.hits(module) === 1);
  first.socket.resetAndDestroy();
  const others = Array.from({ length: 99 }, () => harness.ask(module));
  await new Promise((resolve) => setTimeout(resolve, 100));
  held.goOn();
  for (const answer of await Promise.all(others)) assert.match(answer[0] ?? "", /^right/);
  assert.equal(harness.hits(module), 1);
  assert.deepEqual(await harness.kept(), [module.name]);
});

/** A job of frames that all point into one module. */
function manyFrames(module: SyntheticModule, count: number): string {
  const frames = Array.from({ length: count }, (_, number) => [0, module.frames[number % 3]!.offset]);
  return JSON.stringify({ memoryMap: [[module.name, module.id]], stacks: [frames] });
}

/** Of its module; `refused` for a 503. */
async function statusOfModule(harness: Harness, sent: string): Promise<string | undefined> {
  const url = `${harness.service.url}/symbolicate/v5`;
  const response = await fetch(url, { method: "POST", body: sent, headers: { debug: "true" } });
  if (response.status === 503) return "refused";
  assert.equal(response.status, 200);
  const { debug } = (await response.json()) as V5Response;
  return debug.modules.status_per_module[healthy.key]?.status;
}

test("answers 503 with Retry-After at once to requests over the limit, and the others correctly", async () => {
  const places = 6;
  await using harness = await startHarness([healthy], {
    ...withoutRetries,
    ELIOT_MAX_REQUESTS: String(places),
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const clients = await Promise.all(Array.from({ length: 30 }, () => rawClient(harness.service.url)));
  const [admitted, excess] = [clients.slice(0, places), clients.slice(places)];
  // More than the buffers of a connection hold: who doesn't read its answer keeps its place.
  const large = manyFrames(healthy, 150_000);
  for (const { send } of admitted) send(postHead(large.length) + large);
  await Promise.all(admitted.map(({ socket }) => once(socket, "readable")));
  for (let refused = 0; refused < 10;) {
    const { status } = await fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body });
    refused = status === 503 ? refused + 1 : 0;
  }
  // Before the body has come.
  for (const { send } of excess) send(postHead(body.length));
  for (const answer of await Promise.all(excess.map((client) => client.response()))) {
    assert.deepEqual([answer.status, answer.body], [503, '{"title":"503 Service Unavailable"}']);
    assert.match(answer.head, /\r\nretry-after: [1-9][0-9]*\r\n/);
    assert.match(answer.head, /\r\naccess-control-allow-origin: \*\r\n/);
  }
  assert.equal((await fetch(`${harness.service.url}/__lbheartbeat__`)).status, 200);
  assert.equal((await heartbeat(harness))["queues"], "warning");
  for (const answer of await Promise.all(admitted.map((client) => client.response()))) {
    assert.equal(answer.status, 200);
    assert.equal(answer.body.split('"function":"in healthy.so::0()"').length, 50_001);
  }
  // The refused can come again, on the same connection.
  const [again] = excess;
  again!.send(body + postHead(body.length) + body);
  assert.equal((await again!.response()).status, 200);
  for (const client of clients) client[Symbol.dispose]();
});

test("does not let clients that send their bodies slowly block others", async () => {
  await using harness = await startHarness([healthy], { ...withoutRetries, ELIOT_MAX_REQUESTS: "2" });
  const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(harness.service.url)));
  for (const { send } of clients) send(postHead(body.length) + body.slice(0, 10));
  for (let time = 0; time < 10; time++) assert.match((await harness.ask(healthy))[0] ?? "", /^right/);
  for (const client of clients) {
    client.send(body.slice(10));
    assert.equal((await client.response()).status, 200);
    client[Symbol.dispose]();
  }
});

test("refuses large requests if unread responses fill the memory, and releases that of finished ones", async () => {
  await using harness = await startHarness([healthy], { ...withoutRetries, ELIOT_MAX_BODIES_SIZE: "100mb" });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  // The response has 18 MB.
  const large = manyFrames(healthy, 150_000);
  for (let time = 0; time < times(2, 10); time++) {
    const clients = [];
    while ((await statusOfModule(harness, large)) === "cached") {
      assert.ok(clients.length < 20);
      const client = await rawClient(harness.service.url);
      client.send(postHead(large.length) + large);
      await once(client.socket, "readable");
      clients.push(client);
    }
    assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
    for (const client of clients) client[Symbol.dispose]();
    await waitUntil(async () => (await statusOfModule(harness, large)) === "cached");
  }
});

test("answers 503 if bodies would exceed their memory limit, and releases that of finished ones", async () => {
  await using harness = await startHarness([healthy], { ...withoutRetries, ELIOT_MAX_BODIES_SIZE: "1mb" });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const statusOf = async (length: number) =>
    (await fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body: body.padEnd(length) }))
      .status;
  const large = body.padEnd(400_000);
  for (let time = 0; time < times(2, 10); time++) {
    let client;
    let status;
    // Of two that come together, either may be the one too many.
    do {
      client?.[Symbol.dispose]();
      client = await rawClient(harness.service.url);
      client.send(postHead(large.length) + large.slice(0, -1));
      await new Promise((resolve) => setTimeout(resolve, 200));
      status = await statusOf(200_000);
    } while (status === 200);
    assert.equal(status, 503);
    assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
    client.send(" ");
    assert.equal((await client.response()).status, 200);
    client[Symbol.dispose]();
  }
  assert.equal(await statusOf(500_000), 200);
});

test("reserves half of the request limit for cached modules, and answers 200 with overloaded modules to others", async () => {
  await using harness = await startHarness([healthy, ...news], { ...withoutRetries, ELIOT_MAX_REQUESTS: "8", "sources.headersTimeoutMs": "60000" }); // prettier-ignore
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const held = hold(harness, news);
  const waiting: Promise<string[]>[] = [];
  for (const module of news.slice(0, 4)) {
    waiting.push(harness.ask(module));
    await waitUntil(() => harness.hits(module) === 1);
  }
  const late = news.slice(4);
  for (const module of late)
    assert.deepEqual(await harness.ask(healthy, module), ["right, cached", "bare, overloaded"]);
  // Nobody joins what is under way, either.
  assert.deepEqual(await harness.ask(news[0]!), ["bare, overloaded"]);
  assert.equal(harness.server.hits.length, 5);
  held.goOn();
  for (const answer of await Promise.all(waiting)) assert.deepEqual(answer, ["right, converted"]);
  for (const module of late) assert.deepEqual(await harness.ask(module), ["right, converted"]);
  assert.deepEqual(await harness.kept(), [healthy, ...news].map(({ name }) => name).toSorted());
});

test("answers 200 with a reason for modules over the download queue's limit, and has them a little later", async () => {
  await using harness = await startHarness([healthy, ...news], {
    ...withoutRetries,
    "sources.headersTimeoutMs": "60000",
    ELIOT_MAX_DOWNLOADS: "2",
    "sources.maxQueuedDownloads": "3",
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const held = hold(harness, news);
  const [first, late] = [news.slice(0, 5), news.slice(5, 10)];
  const firstAsked = harness.ask(healthy, ...first);
  await waitUntil(() => harness.server.hits.length === 3);
  assert.equal((await heartbeat(harness))["queues"], "warning");
  const lateAsked = fetch(`${harness.service.url}/symbolicate/v5`, {
    method: "POST",
    body: JSON.stringify(jobOf([healthy, ...late])),
    headers: { debug: "x" },
  });
  await waitUntil(async () => (await harness.misses()) === 11);
  assert.equal(harness.server.hits.length, 3);
  held.goOn();
  // One of the three places goes to the later request, which has none.
  const right = "right, converted";
  const overloaded = "bare, overloaded";
  const [, ...firstOutcomes] = await firstAsked;
  assert.deepEqual(firstOutcomes.toSorted(), [overloaded, right, right, right, right]);
  const response = await lateAsked;
  assert.equal(response.status, 200);
  const [found, ...others] = outcomes((await response.json()) as V5Response, [healthy, ...late]);
  assert.equal(found?.text, "right, cached");
  const refused = others.filter((outcome) => outcome.text !== right);
  assert.equal(refused.length, 4);
  for (const outcome of refused)
    assert.deepEqual(
      [outcome.text, outcome.reason],
      [overloaded, "too many modules are waiting for a download"],
    );
  for (const module of late) assert.match((await harness.ask(module))[0] ?? "", /^right/);
});

test("rejects modules over the queue's limit within one request without asking a source", async () => {
  await using harness = await startHarness([healthy], {
    ...withoutRetries,
    ELIOT_MAX_DOWNLOADS: "4",
    "sources.maxQueuedDownloads": "16",
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const unknown = Array.from({ length: 1000 }, (_, number) => [`unknown${number}.so`, "A"]);
  const memoryMap = [...unknown, [healthy.name, healthy.id]];
  const stacks = [memoryMap.map((_, index) => [index, healthy.frames[0]!.offset])];
  const response = await fetch(`${harness.service.url}/symbolicate/v5`, {
    method: "POST",
    body: JSON.stringify({ memoryMap, stacks }),
    headers: { debug: "x" },
  });
  const { results, debug } = (await response.json()) as V5Response;
  assert.equal(results[0]?.stacks[0]?.at(-1)?.["function"], healthy.frames[0]!.function);
  assert.ok(harness.server.hits.length <= 21, `${harness.server.hits.length} hits`);
  const statuses = Object.values(debug.modules.status_per_module).map(({ status }) => status);
  assert.equal(
    statuses.filter((status) => status === "overloaded").length,
    1000 - harness.server.hits.length + 1,
  );
});

test("answers requests for cached modules while many others wait for downloads", async () => {
  await using harness = await startHarness([healthy, ...news], {
    ...withoutRetries,
    ELIOT_MAX_DOWNLOADS: "2",
    "sources.headersTimeoutMs": "60000",
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const held = hold(harness, news);
  let answered = 0;
  const cold = Array.from({ length: 100 }, async (_, number) => {
    const answer = await harness.ask(news[number % news.length]!);
    answered++;
    return answer;
  });
  await waitUntil(() => harness.server.hits.length === 3);
  for (let time = 0; time < 50; time++) assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
  assert.equal(answered, 0);
  held.goOn();
  for (const answer of await Promise.all(cold)) assert.match(answer[0] ?? "", /^right/);
});

test("answers requests for cached modules while a large sym file is converted", async (t) => {
  const large = Array.from({ length: times(1, 8) }, (_, number) =>
    syntheticModule(`large${number + 10}.so`, times(50_000, 1_000_000)),
  );
  await using harness = await startHarness([healthy, ...large], {
    ...withoutRetries,
    "sources.stallTimeoutMs": "60000",
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const frames = manyFrames(healthy, 500);
  const alone = await steadyLoad(
    harness.service.url,
    frames,
    2,
    ({ answered }) => answered.length >= times(50, 5000),
  );
  const beside: number[] = [];
  for (const module of large) {
    const answeredMeanwhile = Promise.withResolvers<void>();
    // The conversion is at its end only when others have been answered.
    harness.fault(module, async (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${module.symFile.length}\r\n\r\n`);
      socket.write(module.symFile.slice(0, -1));
      await answeredMeanwhile.promise;
      socket.end(module.symFile.slice(-1));
    });
    const converted = harness.ask(module);
    let isOver = false;
    void converted.then(() => (isOver = true));
    const taken = await steadyLoad(harness.service.url, frames, 2, ({ answered }) => {
      if (answered.length >= 50) answeredMeanwhile.resolve();
      return isOver;
    });
    beside.push(...taken.answered);
    assert.deepEqual(await converted, ["right, converted"]);
  }
  const [p99Alone, p99] = [percentile(alone.answered, 0.01), percentile(beside, 0.01)];
  t.diagnostic(`500 frames of a cached module: ${p99Alone} ms at p99 alone, ${p99} ms while ${large.length} sym files of ${Math.round(large[0]!.symFile.length / 1e6)} MB were converted`); // prettier-ignore
  if (isWhole) assert.ok(p99 < 50, `${p99} ms`);
});

test("answers as many requests as it can at ten times the load, and rejects the others at once", async (t) => {
  const places = 6;
  await using harness = await startHarness([healthy], {
    ...withoutRetries,
    ELIOT_MAX_REQUESTS: String(places),
  });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const { url } = harness.service;
  const frames = manyFrames(healthy, 10_000);
  const count = times(20, 1500);
  const isEnough = ({ answered }: Taken) => answered.length >= count;
  await steadyLoad(url, frames, places, isEnough);
  const fitting = await steadyLoad(url, frames, places, isEnough);
  const { peakMegabytes: before } = await harness.resources();
  const overload = await steadyLoad(url, frames, 10 * places, isEnough);
  const { peakMegabytes: after } = await harness.resources();
  assert.deepEqual(fitting.refused, []);
  assert.ok(overload.refused.length > count);
  const [median, medianOverload] = [percentile(fitting.answered, 0.5), percentile(overload.answered, 0.5)];
  t.diagnostic(`10,000 frames from ${places} clients at ${places} places: ${median} ms in the median, ${percentile(fitting.answered, 0.01)} at p99; from ${10 * places} clients: ${medianOverload} and ${percentile(overload.answered, 0.01)}, and 503 after ${percentile(overload.refused, 0.5)} and ${percentile(overload.refused, 0.01)}; ${before} MB at most, then ${after}`); // prettier-ignore
  if (!isWhole) return;
  assert.ok(medianOverload <= 2 * median, `${medianOverload} ms, ${median} ms`);
  assert.ok(after < before + 100, `${after} MB, ${before} MB`);
});

const withHandles = ["sh", "-c", 'ulimit -n ${HANDLES:-1024} && exec "$0" src/main.ts', process.execPath];

test("keeps file handles for symcaches and downloads with any number of connections", async () => {
  await using harness = await startHarness(
    [healthy, ...news],
    { ...withoutRetries, HANDLES: "300" },
    () => withHandles,
  );
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  await harness.restart();
  using client = await rawClient(harness.service.url);
  client.send(postHead(body.length) + body);
  assert.equal((await client.response()).status, 200);
  const crowd = await Promise.all(Array.from({ length: 400 }, () => rawClient(harness.service.url)));
  for (const { socket } of crowd) socket.resume();
  await Promise.race(crowd.map(({ closed }) => closed));
  const job = JSON.stringify(jobOf([healthy, ...news]));
  client.send(postHead(job.length) + job);
  const answers = outcomes(JSON.parse((await client.response()).body) as V5Response, [healthy, ...news]);
  const expected = ["right, cached", ...news.map(() => "right, converted")];
  assert.deepEqual(answers.map(({ text }) => text), expected); // prettier-ignore
  for (const one of crowd) one[Symbol.dispose]();
});

test("keeps symcaches that it can't open for lack of file handles", async () => {
  const modules = Array.from({ length: 90 }, (_, number) => syntheticModule(`kept${number + 10}.so`));
  await using harness = await startHarness(modules, withoutRetries, () => withHandles);
  assert.deepEqual(new Set(await harness.ask(...modules)), new Set(["right, converted"]));
  await harness.restart({ HANDLES: "120" });
  const answers = new Set(await harness.ask(...modules));
  assert.ok(answers.isSubsetOf(new Set(["right, cached", "bare, failed"])), [...answers].join());
  await harness.restart();
  assert.deepEqual(new Set(await harness.ask(...modules)), new Set(["right, cached"]));
});

test("tells a slow source from a hanging converter, and waiting for a converter from a slow source", async () => {
  const slow = news.slice(0, 3);
  await using harness = await startHarness([healthy, ...news], {
    ...withoutRetries,
    ELIOT_CONVERTERS: "1",
    "sources.downloadTimeoutMs": "1000",
    "sources.stallTimeoutMs": "60000",
    "conversion.stepTimeoutMs": "500",
    "conversion.totalTimeoutMs": "500",
  });
  // Each holds the one converter for longer than half of what a download may take.
  for (const module of slow)
    harness.fault(module, async (socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: ${module.symFile.length}\r\n\r\n${module.symFile.slice(0, 60)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 700));
      socket.end(module.symFile.slice(60));
    });
  const answers = await Promise.all([...slow, healthy].map((module) => harness.ask(module)));
  assert.deepEqual(
    answers.flat(),
    [...slow, healthy].map(() => "right, converted"),
  );
});

test("does not leak file handles over many large modules", async (t) => {
  const count = times(12, 500);
  const modules = Array.from({ length: count }, (_, number) =>
    syntheticModule(`large${number + 1000}.so`, 20_000),
  );
  const cap = 5 * symcacheOf(modules[0]!).length + 1000;
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    "diskCache.maxBytes": String(cap),
  });
  for (const module of modules) assert.deepEqual(await harness.ask(module), ["right, converted"]);
  assert.equal((await harness.kept()).length, 5);
  const { handles, peakMegabytes } = await harness.resources();
  // Each of the two lookup threads keeps up to 128 symcaches open.
  assert.ok(handles < 2 * 128 + 100, `${handles} file handles`);
  t.diagnostic(`${count} modules in turn: ${handles} file handles, ${peakMegabytes} MB at most`);
});
