/** One request that asks for very much beside others that ask for little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { reply } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { outcomes, jobOf, startHarness, withoutRetries } from "../support/harness.ts";
import type { V5Response } from "../support/service.ts";
import { waitUntil } from "../support/waitUntil.ts";

test("lets requests take turns in the queue for downloads, and gives a place in a full one to a request with fewer", async () => {
  const many = Array.from({ length: 40 }, (_, index) => syntheticModule(`many${index + 10}.so`));
  const few = [syntheticModule("few1.so"), syntheticModule("few2.so")];
  await using harness = await startHarness([...many, ...few], {
    ...withoutRetries,
    ELIOT_MAX_DOWNLOADS: "2",
    "sources.maxQueuedDownloads": "20",
  });
  const goOn = Promise.withResolvers<void>();
  const started: string[] = [];
  for (const module of [...many, ...few])
    harness.fault(module, async (socket, path) => {
      started.push(module.name);
      await goOn.promise;
      await reply("200 OK", module.symFile)(socket, path);
    });
  const ask = async (modules: typeof many) => {
    const response = await fetch(`${harness.service.url}/symbolicate/v5`, {
      method: "POST",
      body: JSON.stringify(jobOf(modules)),
      headers: { debug: "true" },
    });
    return outcomes((await response.json()) as V5Response, modules).map(({ text }) => text);
  };
  const manyAsked = ask(many);
  await waitUntil(() => started.length === 2);
  // Also asks for one that the first request waits for, and must not lose it with that request's place.
  const fewAsked = ask([...few, many[21]!]);
  await waitUntil(async () => (await harness.misses()) === many.length + few.length + 1);
  goOn.resolve();
  assert.deepEqual(await fewAsked, ["right, converted", "right, converted", "right, converted"]);
  const statuses = await manyAsked;
  const overloaded = statuses.filter((status) => status === "bare, overloaded").length;
  // Of 22 places it has lost two or three: one that others wait for may come back.
  assert.ok(overloaded >= 20 && overloaded <= 21, statuses.join("\n"));
  const turns = few.map(({ name }) => started.indexOf(name) + 1);
  assert.ok(Math.max(...turns) <= 7, started.join("\n"));
});

test("parses ordinary bodies before compressed ones with millions of values that were sent first", async () => {
  const module = syntheticModule("healthy.so");
  await using harness = await startHarness([module], withoutRetries);
  await harness.ask(module);
  const order: string[] = [];
  const post = async (name: string, body: string) => {
    const response = await fetch(`${harness.service.url}/symbolicate/v5`, {
      method: "POST",
      body: gzipSync(body),
      headers: { "content-encoding": "gzip" },
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    order.push(name);
  };
  const job = JSON.stringify(jobOf([module])).slice(0, -1);
  const huge = `${job},"x":[${"{},".repeat(3_000_000)}1234567890123456789]}`;
  const large = `${job},"x":"${"x".repeat(500_000)}"}`;
  const hugePosted = Array.from({ length: 3 }, () => post("huge", huge));
  // Sent once the first huge body is being parsed, as the memory for it has been charged.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await Promise.all([...hugePosted, post("large", large)]);
  assert.ok(order.indexOf("large") < 2, order.join());
});
