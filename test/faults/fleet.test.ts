/** Three instances with their own cache folders, behind nginx, with one shared cache. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { noNginx } from "../support/balancer.ts";
import { noS3Server, startS3Server } from "../support/s3Server.ts";
import { instanceCount, startFleet, type Fleet } from "../support/fleet.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { ask } from "../support/harness.ts";

const clientCount = 2;
/** Between a client's response and its next request: instances start at the same time, on the same machine. */
const pauseMs = 30;
const breakerCooldownMs = 200;

const synthesize = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => syntheticModule(`${prefix}${index}.so`, 20));

/** Each test has its own modules, so all share one fleet. */
const modules = {
  sequential: synthesize("sequential", times(20, 200)),
  simultaneous: synthesize("simultaneous", times(20, 200)),
  restart: synthesize("restart", 40),
  outage: synthesize("outage", 40),
  afterOutage: syntheticModule("afterOutage.so"),
};

const keysOf = (of: SyntheticModule[]) => of.map(({ key }) => key);

async function askSuccessfully(url: string, asked: SyntheticModule[]): Promise<void> {
  for (const outcome of await ask(url, ...asked)) assert.match(outcome, /^right/);
}

/** Clients ask the fleet for two of the modules, again and again until `work` is done. Returns the number of responses. */
async function underLoad(
  fleet: Fleet,
  asked: SyntheticModule[],
  work: () => Promise<unknown>,
): Promise<number> {
  let responses = 0;
  const over = new AbortController();
  const clients = Array.from({ length: clientCount }, async (_, index) => {
    const random = new Random(index);
    while (!over.signal.aborted) {
      await askSuccessfully(fleet.url, [...new Set([random.pick(asked), random.pick(asked)])]);
      responses++;
      await setTimeout(pauseMs);
    }
  });
  await Promise.all([...clients, work().finally(() => over.abort())]);
  return responses;
}

suite("a fleet with a shared cache", { skip: noNginx || noS3Server }, () => {
  const running = new AsyncDisposableStack();
  let store: Awaited<ReturnType<typeof startS3Server>>;
  let fleet: Fleet;
  before(async () => {
    store = running.use(await startS3Server());
    const settings = { ...store.settings, "sharedCache.breakerCooldownMs": String(breakerCooldownMs) };
    fleet = running.use(await startFleet(Object.values(modules).flat(), settings));
  });
  after(() => running.disposeAsync());

  /** Runs `work` and returns how often the fleet downloaded a sym file meanwhile: once for each conversion. */
  async function countDownloads(work: () => Promise<unknown>): Promise<number> {
    const earlier = fleet.downloads();
    await work();
    return fleet.downloads() - earlier;
  }

  test("converts a module once if three instances need it one after another", async (t) => {
    const asked = modules.sequential;
    const askEach = (url: string) => Promise.all(asked.map((module) => askSuccessfully(url, [module])));
    const conversions = await countDownloads(async () => {
      for (const [index, { url }] of fleet.instances.entries()) {
        await askEach(url);
        if (index === 0) await store.holds(keysOf(asked));
      }
    });
    assert.equal(conversions, asked.length);
    t.diagnostic(
      `${asked.length} modules requested from three instances in turn: ${conversions} conversions`,
    );
  });

  test("converts nothing on an instance with an empty folder if the shared cache has the symcaches", async () => {
    const conversions = await countDownloads(async () => {
      assert.equal(await fleet.end(0, "SIGTERM"), 0);
      await fleet.emptyFolder(0);
      await fleet.start(0);
      const { url } = fleet.instances[0]!;
      await Promise.all(modules.sequential.map((module) => askSuccessfully(url, [module])));
    });
    assert.equal(conversions, 0);
  });

  test("converts a module at most three times if three instances need it at once", async (t) => {
    const asked = modules.simultaneous;
    const conversions = await countDownloads(() =>
      Promise.all(
        asked.flatMap((module) => fleet.instances.map(({ url }) => askSuccessfully(url, [module]))),
      ),
    );
    assert.ok(
      conversions >= asked.length && conversions <= instanceCount * asked.length,
      String(conversions),
    );
    t.diagnostic(
      `${asked.length} modules requested from three instances at once: ${conversions} conversions`,
    );
  });

  test("answers every request and downloads nothing while instances are killed and restarted with empty folders", async (t) => {
    const asked = modules.restart;
    await Promise.all(asked.map((module) => askSuccessfully(fleet.url, [module])));
    await store.holds(keysOf(asked));
    let responses = 0;
    const conversions = await countDownloads(async () => {
      responses = await underLoad(fleet, asked, async () => {
        for (let round = 0; round < times(1, 6); round++) {
          await fleet.end(round % instanceCount, "SIGKILL");
          await fleet.start(round % instanceCount);
        }
        for (let round = 0; round < times(1, 3) * instanceCount; round++) {
          assert.equal(await fleet.end(round % instanceCount, "SIGTERM"), 0);
          await fleet.emptyFolder(round % instanceCount);
          await fleet.start(round % instanceCount);
        }
      });
    });
    assert.equal(conversions, 0);
    t.diagnostic(`${responses} correct responses while instances were killed and restarted`);
  });

  test("answers every request while the shared cache is down, and stores symcaches again once it is back", async () => {
    const { outage, afterOutage } = modules;
    await underLoad(fleet, outage.slice(0, 20), async () => {
      const restart = await store.stop();
      await Promise.all(outage.map((module) => askSuccessfully(fleet.url, [module])));
      await restart();
    });
    await setTimeout(2 * breakerCooldownMs);
    const [first, second] = fleet.instances;
    await askSuccessfully(first!.url, [afterOutage]);
    await store.holds([afterOutage.key]);
    assert.equal(await countDownloads(() => askSuccessfully(second!.url, [afterOutage])), 0);
  });
});
