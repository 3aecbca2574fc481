/** One request that asks for very much beside others that ask for little. */
import assert from "node:assert/strict";
import { test } from "node:test";
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
  await new Promise((resolve) => setTimeout(resolve, 500));
  goOn.resolve();
  assert.deepEqual(await fewAsked, ["right, converted", "right, converted", "right, converted"]);
  const statuses = await manyAsked;
  const overloaded = statuses.filter((status) => status === "bare, overloaded").length;
  // Of 22 places it has lost two or three: one that others wait for may come back.
  assert.ok(overloaded >= 20 && overloaded <= 21, statuses.join("\n"));
  const turns = few.map(({ name }) => started.indexOf(name) + 1);
  assert.ok(Math.max(...turns) <= 7, started.join("\n"));
});
