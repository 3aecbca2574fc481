/** Several machines: instances with folders of their own, behind nginx, that share a store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { noNginx } from "../balancer.ts";
import { noStore, startStore } from "../store.ts";
import { instanceCount, startFleet, type Fleet } from "./fleet.ts";
import { madeModule, type MadeModule } from "./madeModule.ts";
import { Random, times } from "./scale.ts";
import { ask } from "./world.ts";

const clientCount = 3;
/** Milliseconds between a client's answer and its next request: instances start meanwhile, on the same machine. */
const pause = 10;

/** Modules that no other test has. */
function makeModules(purpose: string, count: number): MadeModule[] {
  return Array.from({ length: count }, (_, number) => madeModule(`${purpose}${number}.so`, 20));
}

const keysOf = (modules: MadeModule[]) => modules.map(({ key }) => key);

async function askRightly(url: string, modules: MadeModule[]): Promise<void> {
  for (const answer of await ask(url, ...modules)) assert.match(answer, /^right/);
}

/** Clients that ask the fleet for two of the modules, again and again until `work` is done. Gives how many answers there were. */
async function underLoad(fleet: Fleet, modules: MadeModule[], work: () => Promise<unknown>): Promise<number> {
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

suite("a fleet with a store", { skip: noNginx || noStore }, () => {
  test("converts each module once at most for each instance, and what is stored for none", async () => {
    const modules = makeModules("cold", times(20, 200));
    await using store = await startStore();
    await using fleet = await startFleet(modules, store.settings);
    await underLoad(fleet, modules, async () => {
      await Promise.all(modules.map((module) => askRightly(fleet.url, [module])));
    });
    assert.ok(fleet.downloads() <= instanceCount * modules.length);
    await store.holds(keysOf(modules));

    const before = fleet.downloads();
    await fleet.end(0, "SIGTERM");
    await fleet.emptyFolder(0);
    await fleet.start(0);
    for (const module of modules) await askRightly(fleet.instances[0]!.url, [module]);
    assert.equal(fleet.downloads(), before);
  });

  test("converts each module once where it is asked of three instances in turn, and of all at once at most thrice", async (t) => {
    const inTurn = makeModules("turn", times(20, 200));
    const atOnce = makeModules("once", times(20, 200));
    await using store = await startStore();
    await using fleet = await startFleet([...inTurn, ...atOnce], store.settings);
    const urls = fleet.instances.map(({ url }) => url);
    for (const [turn, url] of urls.entries()) {
      await Promise.all(inTurn.map((module) => askRightly(url, [module])));
      if (turn === 0) await store.holds(keysOf(inTurn));
    }
    assert.equal(fleet.downloads(), inTurn.length);

    const before = fleet.downloads();
    await Promise.all(atOnce.flatMap((module) => urls.map((url) => askRightly(url, [module]))));
    const conversions = fleet.downloads() - before;
    assert.ok(conversions <= instanceCount * atOnce.length, String(conversions));
    t.diagnostic(
      `${inTurn.length} modules, each asked of three instances: in turn ${before} conversions, at the same moment ${conversions}`,
    );
  });

  test("answers all while an instance is killed and all are restarted in turn with empty folders, and downloads nothing", async (t) => {
    const modules = makeModules("restart", 40);
    await using store = await startStore();
    await using fleet = await startFleet(modules, store.settings);
    await askRightly(fleet.instances[0]!.url, modules);
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
    t.diagnostic(`${answers} answers while instances were killed and restarted`);
  });

  test("answers all while the store is away, and stores again once it is back", async () => {
    const modules = makeModules("away", 40);
    const later = madeModule("later.so");
    await using store = await startStore();
    const settings = { ...store.settings, ELIOT_BREAKER_COOLDOWN: "0.2" };
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
});
