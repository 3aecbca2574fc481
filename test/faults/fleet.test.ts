/** Several machines: instances with folders of their own, behind nginx, that share a store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { noNginx } from "../balancer.ts";
import { instanceCount, startFleet, type Fleet } from "./fleet.ts";
import { madeModule, type MadeModule } from "./madeModule.ts";
import { Random, times } from "./scale.ts";
import { ask } from "./world.ts";

function makeModules(count: number): MadeModule[] {
  return Array.from({ length: count }, (_, number) => madeModule(`fleet${number}.so`, 20));
}

/** Eight clients that ask for some of the modules without a pause, until `work` is done. Gives how many answers there were. */
async function underLoad(fleet: Fleet, modules: MadeModule[], work: () => Promise<unknown>): Promise<number> {
  let answers = 0;
  const over = new AbortController();
  const client = async (number: number) => {
    const random = new Random(number);
    while (!over.signal.aborted) {
      await askRightly(fleet.url, [...new Set([random.pick(modules), random.pick(modules)])]);
      answers++;
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
  await Promise.race([clients, work().finally(() => over.abort())]);
  await clients;
  return answers;
}

async function askRightly(url: string, modules: MadeModule[]): Promise<void> {
  for (const answer of await ask(url, ...modules)) assert.match(answer, /^right/);
}

suite("a fleet", { skip: noNginx }, () => {
  test("answers all while instances are killed, and restarted in turn with empty folders", async (t) => {
    const modules = makeModules(40);
    await using fleet = await startFleet(modules);
    const answers = await underLoad(fleet, modules, async () => {
      for (let turn = 0; turn < times(1, 10); turn++) {
        await setTimeout(300);
        const killed = turn % instanceCount;
        fleet.instances[killed]!.signal("SIGKILL");
        await fleet.instances[killed]!.exit;
        await setTimeout(300);
        await fleet.start(killed);
      }
      for (let turn = 0; turn < times(1, 5) * instanceCount; turn++) {
        const restarted = turn % instanceCount;
        fleet.instances[restarted]!.signal("SIGTERM");
        assert.equal(await fleet.instances[restarted]!.exit, 0);
        await fleet.emptyFolder(restarted);
        await fleet.start(restarted);
      }
    });
    t.diagnostic(`${answers} answers`);
  });
});
