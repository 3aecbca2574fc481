/** Several machines: instances with folders of their own, behind nginx, that share a store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { noNginx } from "../support/balancer.ts";
import { noS3Server, startS3Server } from "../support/s3Server.ts";
import { instanceCount, startFleet, type Fleet } from "../support/fleet.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { ask } from "../support/harness.ts";

const clientCount = 2;
/** Milliseconds between a client's answer and its next request: instances start meanwhile, on the same machine. */
const pause = 30;

/** Modules that no other test has. */
function makeModules(purpose: string, count: number): SyntheticModule[] {
  return Array.from({ length: count }, (_, number) => syntheticModule(`${purpose}${number}.so`, 20));
}

const keysOf = (modules: SyntheticModule[]) => modules.map(({ key }) => key);

async function askRightly(url: string, modules: SyntheticModule[]): Promise<void> {
  for (const answer of await ask(url, ...modules)) assert.match(answer, /^right/);
}

/** Clients that ask the fleet for two of the modules, again and again until `work` is done. Gives how many answers there were. */
async function underLoad(
  fleet: Fleet,
  modules: SyntheticModule[],
  work: () => Promise<unknown>,
): Promise<number> {
  let answers = 0;
  const over = new AbortController();
  const clients = Array.from({ length: clientCount }, async (_, number) => {
    const random = new Random(number);
    while (!over.signal.aborted) {
      await askRightly(fleet.url, [...new Set([random.pick(modules), random.pick(modules)])]);
      answers++;
      await setTimeout(pause);
    }
  });
  await Promise.all([...clients, work().finally(() => over.abort())]);
  return answers;
}

const options = { skip: noNginx || noS3Server };

test(
  "converts once what is asked of three instances in turn, and not at all what the store has",
  options,
  async (t) => {
    const modules = makeModules("turn", times(20, 200));
    await using store = await startS3Server();
    await using fleet = await startFleet(modules, store.settings);
    for (const [turn, { url }] of fleet.instances.entries()) {
      await Promise.all(modules.map((module) => askRightly(url, [module])));
      if (turn === 0) await store.holds(keysOf(modules));
    }
    assert.equal(fleet.downloads(), modules.length);

    assert.equal(await fleet.end(0, "SIGTERM"), 0);
    await fleet.emptyFolder(0);
    await fleet.start(0);
    await Promise.all(modules.map((module) => askRightly(fleet.instances[0]!.url, [module])));
    assert.equal(fleet.downloads(), modules.length);
    t.diagnostic(
      `${modules.length} modules asked of three instances in turn: ${fleet.downloads()} conversions`,
    );
  },
);

test("converts at most thrice what is asked of three instances at once", options, async (t) => {
  const modules = makeModules("once", times(20, 200));
  await using store = await startS3Server();
  await using fleet = await startFleet(modules, store.settings);
  await Promise.all(modules.flatMap((module) => fleet.instances.map(({ url }) => askRightly(url, [module]))));
  const conversions = fleet.downloads();
  assert.ok(conversions <= instanceCount * modules.length, String(conversions));
  t.diagnostic(
    `${modules.length} modules asked of three instances at the same moment: ${conversions} conversions`,
  );
});

test(
  "answers all while an instance is killed and all are restarted in turn with empty folders, and downloads nothing",
  options,
  async (t) => {
    const modules = makeModules("restart", 40);
    await using store = await startS3Server();
    await using fleet = await startFleet(modules, store.settings);
    await Promise.all(modules.map((module) => askRightly(fleet.url, [module])));
    await store.holds(keysOf(modules));
    const before = fleet.downloads();
    const answers = await underLoad(fleet, modules, async () => {
      for (let turn = 0; turn < times(1, 6); turn++) {
        await setTimeout(200);
        await fleet.end(turn % instanceCount, "SIGKILL");
        await setTimeout(200);
        await fleet.start(turn % instanceCount);
      }
      for (let turn = 0; turn < times(1, 3) * instanceCount; turn++) {
        assert.equal(await fleet.end(turn % instanceCount, "SIGTERM"), 0);
        await fleet.emptyFolder(turn % instanceCount);
        await fleet.start(turn % instanceCount);
      }
    });
    assert.equal(fleet.downloads(), before);
    t.diagnostic(`${answers} answers, all of them right, while instances were killed and restarted`);
  },
);

test("answers all while the store is away, and stores again once it is back", options, async () => {
  const modules = makeModules("away", 40);
  const later = syntheticModule("later.so");
  await using store = await startS3Server();
  const settings = { ...store.settings, "sharedCache.breakerCooldownMs": "200" };
  await using fleet = await startFleet([...modules, later], settings);
  await underLoad(fleet, modules.slice(0, 20), async () => {
    await setTimeout(200);
    const restart = await store.stop();
    await Promise.all(modules.map((module) => askRightly(fleet.url, [module])));
    await restart();
  });
  // Longer than the store is left alone.
  await setTimeout(500);
  const [first, second] = fleet.instances;
  await askRightly(first!.url, [later]);
  await store.holds([later.key]);
  const before = fleet.downloads();
  await askRightly(second!.url, [later]);
  assert.equal(fleet.downloads(), before);
});
