/** Several processes on one folder. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { bytesIn } from "../support/bytesIn.ts";
import { syntheticModule, symcacheOf } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { ask, withoutRetries, startHarness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const processes = 4;

test("keeps the limit within one file per process, and returns correct functions, while four processes share a folder and are killed", async (t) => {
  const random = new Random(4);
  const modules = Array.from({ length: 40 }, (_, index) => syntheticModule(`shared${index + 10}.so`, 1_000));
  const file = symcacheOf(modules[0]!).length + 100;
  const cap = 8 * file;
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    "diskCache.maxBytes": String(cap),
    "diskCache.rescanIntervalMs": "500",
    ELIOT_CONVERTERS: "1",
    ELIOT_LOOKUP_WORKERS: "1",
  });
  const services = [harness.service];
  while (services.length < processes) services.push(await harness.start());

  let most = 0;
  const over = new AbortController();
  const watch = async () => {
    while (!over.signal.aborted) most = Math.max(most, await bytesIn(join(harness.folder, "symcache-v1")));
  };
  const watching = watch();
  let left = times(120, 20_000);
  let kills = 0;
  const client = async (index: number) => {
    const isRestless = index > 0;
    while (left-- > 0) {
      if (isRestless && random.below(60) === 0) {
        kills++;
        const killed = services[index]!;
        killed.signal("SIGKILL");
        await killed.exit;
        services[index] = await harness.start();
      }
      const asked = [...new Set([random.pick(modules), random.pick(modules)])];
      for (const response of await ask(services[index]!.url, ...asked)) assert.match(response, /^right/);
    }
  };
  const ends = await Promise.allSettled(services.map((_, index) => client(index).finally(() => (left = 0))));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  over.abort();
  await watching;
  assert.ok(most <= cap + processes * file, `${most} bytes at most, for a cap of ${cap}`);
  // Two looks around later.
  await setTimeout(1500);
  assert.ok((await bytesIn(join(harness.folder, "symcache-v1"))) <= cap);
  assert.ok(
    (await harness.kept()).every((name) => name.startsWith("shared")),
    "only whole symcaches",
  );
  t.diagnostic(
    `${kills} kills; at most ${Math.round((100 * most) / cap)} % of the cap, of ${processes} processes`,
  );
});

test("enforces the smallest limit of the processes that share a folder", async () => {
  const modules = Array.from({ length: 8 }, (_, index) => syntheticModule(`shared${index}.so`, 100));
  const file = symcacheOf(modules[0]!).length;
  const settings = { ...withoutRetries, "diskCache.rescanIntervalMs": "100" };
  await using harness = await startHarness(modules, settings);
  await harness.ask(...modules);
  assert.equal((await harness.kept()).length, 8);
  const frugal = await harness.start({ "diskCache.maxBytes": String(3 * file + 100) });
  const folder = join(harness.folder, "symcache-v1");
  for (const service of [harness.service, frugal, harness.service]) {
    for (const response of await ask(service.url, ...modules)) assert.match(response, /^right/);
    await waitUntil(async () => (await bytesIn(folder)) <= 3 * file + 100);
  }
});
