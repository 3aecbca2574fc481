/** Clients that take memory: with results that wait for other modules, and by sending or reading nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { postHead, rawClient } from "../support/rawClient.ts";
import { reply } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { jobOf, outcomes, startHarness, withoutRetries, type Harness } from "../support/harness.ts";
import type { V5Response } from "../support/service.ts";
import { waitUntil } from "../support/waitUntil.ts";

const healthy = syntheticModule("healthy.so");
const awaited = syntheticModule("awaited.so");
const body = JSON.stringify(jobOf([healthy]));
const impatient = { ...withoutRetries, "server.maxStallMs": "500" };

test("keeps the results of requests that wait for a download only while there is memory for them", async () => {
  await using harness = await startHarness([healthy, awaited], { ...withoutRetries, ELIOT_MAX_BODIES_SIZE: "60mb" }); // prettier-ignore
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  const goOn = Promise.withResolvers<void>();
  harness.fault(awaited, async (socket, path) => {
    await goOn.promise;
    await reply("200 OK", awaited.symFile)(socket, path);
  });
  const { memoryMap, stacks } = jobOf([healthy, awaited]) as { memoryMap: unknown; stacks: unknown[][] };
  // One stack as usual, then 40,000 frames, whose source locations take some 4 MB.
  const many = Array.from({ length: 40_000 }, (_, index) => [0, healthy.frames[index % 3]!.offset]);
  const job = JSON.stringify({ memoryMap, stacks: [...stacks, many] });
  const asked = Array.from({ length: 12 }, async () => {
    const response = await fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body: job, headers: { debug: "true" } }); // prettier-ignore
    if (response.status === 503) return ["refused"];
    assert.equal(response.status, 200);
    return outcomes((await response.json()) as V5Response, [healthy, awaited]).map((outcome) => outcome.text);
  });
  await waitUntil(() => harness.hits(awaited) === 1);
  assert.deepEqual(await harness.ask(healthy), ["right, cached"], "a small request fits");
  goOn.resolve();
  const results = (await Promise.all(asked)).map(([first]) => first);
  const possible = ["right, cached", "bare, overloaded", "refused"];
  assert.ok(
    results.every((result) => possible.includes(result ?? "")),
    results.join("\n"),
  );
  for (const result of possible.slice(0, 2)) assert.ok(results.includes(result), results.join("\n"));
});

/** Waits until the heartbeat tells of so many clients that make no progress. */
async function stalled(harness: Harness, clients: number): Promise<void> {
  let message: string | undefined;
  await waitUntil(async () => {
    const response = await fetch(`${harness.service.url}/__heartbeat__`);
    assert.equal(response.status, 200);
    const { details } = (await response.json()) as { details: { clients?: { messages: string[] } } };
    message = details.clients?.messages[0];
    return message !== undefined && Number.parseInt(message) >= clients;
  });
}

test("responds 408 to a client that stops sending its body, once another needs the memory", async () => {
  await using harness = await startHarness([healthy], { ...impatient, ELIOT_MAX_BODIES_SIZE: "1mb" });
  using client = await rawClient(harness.service.url);
  client.send(postHead(400_000) + body.padEnd(399_999));
  await stalled(harness, 1);
  assert.equal(client.socket.destroyed, false);
  const other = await fetch(`${harness.service.url}/symbolicate/v5`, { method: "POST", body: body.padEnd(400_000) }); // prettier-ignore
  assert.equal(other.status, 200);
  const { status, head } = await client.response();
  assert.equal(status, 408);
  assert.match(head, /connection: close/);
  await stalledNoMore(harness);
});

async function stalledNoMore(harness: Harness): Promise<void> {
  await waitUntil(async () => {
    const response = await fetch(`${harness.service.url}/__heartbeat__`);
    return !(await response.text()).includes("no progress");
  });
}

test("resets the connection of a client that doesn't read its response, once another needs the memory", async () => {
  await using harness = await startHarness([healthy], { ...impatient, ELIOT_MAX_BODIES_SIZE: "100mb" });
  assert.deepEqual(await harness.ask(healthy), ["right, converted"]);
  // The response has 18 MB.
  const frames = Array.from({ length: 150_000 }, (_, index) => [0, healthy.frames[index % 3]!.offset]);
  const large = JSON.stringify({ memoryMap: [[healthy.name, healthy.id]], stacks: [frames] });
  const unread: Awaited<ReturnType<typeof rawClient>>[] = [];
  // More than there is memory for: the first ones have to go.
  for (let count = 1; count <= 12; count++) {
    const client = await rawClient(harness.service.url);
    client.send(postHead(large.length) + large);
    await Promise.race([once(client.socket, "readable"), client.closed]);
    unread.push(client);
    if (count === 2) await stalled(harness, 1);
  }
  await assert.rejects(unread[0]!.response(), /the connection ended/);
  assert.deepEqual(await harness.ask(healthy), ["right, cached"]);
  for (const client of unread) client[Symbol.dispose]();
});

test("holds no memory for idle bulk streams, and ends one that stops in a line, once others need the memory", async () => {
  await using harness = await startHarness([healthy], { ...impatient, ELIOT_MAX_BODIES_SIZE: "4mb" });
  const open = () => {
    const sent = request(`${harness.service.url}/symbolicate/bulk`, { method: "POST" });
    sent.on("error", () => {});
    const response = once(sent, "response").then(([incoming]) => text(incoming));
    response.catch(() => {});
    return { sent, response };
  };
  const idle = Array.from({ length: 50 }, open);
  for (const { sent } of idle) sent.write(`${body}\n`);
  const stopped = open();
  stopped.sent.write(`${body}\n${body.padEnd(500_000)}`);
  await stalled(harness, 51);
  const last = open();
  last.sent.end(`${body.padEnd(500_000)}\n`);
  assert.match(await last.response, /"found_modules"/);
  const lines = (await stopped.response).trim().split("\n");
  assert.match(lines[0] ?? "", /"found_modules"/);
  assert.deepEqual(JSON.parse(lines[1] ?? ""), { error: { title: "408 Request Timeout", fatal: true } });
  for (const { sent, response } of idle) {
    sent.end();
    assert.match(await response, /^\{"stacks".*\}\n$/);
  }
});
