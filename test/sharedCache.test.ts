/** The shared cache against a real S3 server. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { madeModule, symcacheOf, type MadeModule } from "./faults/madeModule.ts";
import { ask } from "./faults/world.ts";
import { startTestService, temporaryFolder } from "./service.ts";
import { noStore, startStore } from "./store.ts";
import { startStatsd } from "./statsd.ts";
import { reply, SymbolServer } from "./symbolServer.ts";

/** A symbol server that has the modules, a store, and services that are started with both. */
async function startWorld(modules: MadeModule[]) {
  await using starting = new AsyncDisposableStack();
  const store = starting.use(await startStore());
  const statsd = starting.use(await startStatsd());
  const server = starting.use(
    await SymbolServer.start((socket, path) => {
      const module = modules.find((candidate) => candidate.path === path);
      return (module ? reply("200 OK", module.symFile) : reply("404 Not Found"))(socket, path);
    }),
  );
  const running = starting.move();
  return {
    store,
    statsd,
    server,
    start: async (env: Record<string, string> = {}) =>
      await startTestService({ ELIOT_SYMBOLS_URLS: server.url, ...statsd.env, ...store.settings, ...env }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

suite("a shared cache", { skip: noStore }, () => {
  test("gives another instance what one has converted, byte for byte", async () => {
    const modules = [
      madeModule("small.so"),
      madeModule("inlines +~@[1].so", 2000, { inlines: true }),
      // Several chunks, and more than is asked for at first.
      madeModule("large.so", 400_000, { inlines: true }),
    ];
    await using world = await startWorld(modules);
    {
      await using first = await world.start();
      assert.deepEqual(
        await ask(first.url, ...modules),
        modules.map(() => "right, converted"),
      );
      await world.store.holds(modules.map(({ key }) => key));
    }
    await using folder = await temporaryFolder();
    {
      await using second = await world.start({ ELIOT_SYMBOLS_CACHE_DIR: folder.path });
      assert.deepEqual(
        await ask(second.url, ...modules),
        modules.map(() => "right, cached"),
      );
    }
    assert.equal(world.server.hits.length, modules.length);
    for (const module of modules) {
      const path = join(folder.path, "symcache-v1", `${module.key}.symc`);
      assert.equal(Buffer.compare(await readFile(path), symcacheOf(module)), 0);
    }
  });

  test("converts while the store is gone, and asks it again when it is back", async () => {
    const [before, meanwhile, after] = ["before.so", "meanwhile.so", "after.so"].map((name) =>
      madeModule(name),
    ) as [MadeModule, MadeModule, MadeModule];
    await using world = await startWorld([before, meanwhile, after]);
    await using first = await world.start();
    await ask(first.url, before, after);
    await world.store.holds([before.key, after.key]);
    await using second = await world.start({ "sharedCache.breakerCooldownMs": "1" });
    assert.deepEqual(await ask(second.url, before), ["right, cached"]);
    const startAgain = await world.store.stop();
    assert.deepEqual(await ask(second.url, before, meanwhile), ["right, cached", "right, converted"]);
    await startAgain();
    assert.deepEqual(await ask(second.url, after), ["right, cached"]);
  });

  test("converts where the store refuses the key, and logs what it said", async () => {
    const module = madeModule("forbidden.so");
    await using world = await startWorld([module]);
    await using service = await world.start({ AWS_SECRET_ACCESS_KEY: "another" });
    assert.deepEqual(await ask(service.url, module), ["right, converted"]);
    const [line] = service.log.filter(({ Fields }) => Fields["msg"] === "shared cache can't give a symcache");
    assert.match(String(line?.Fields["error"]), /answered 403 SignatureDoesNotMatch/);
  });

  test("takes an address and a key as people write them", async () => {
    const module = madeModule("written.so");
    await using world = await startWorld([module]);
    const { port } = new URL(world.store.settings.ELIOT_SHARED_CACHE_ENDPOINT);
    await using service = await world.start({
      ELIOT_SHARED_CACHE_ENDPOINT: `HTTP://LocalHost:${port}/`,
      // As it comes out of a secret that was made of a file.
      AWS_ACCESS_KEY_ID: "key\n",
      AWS_SECRET_ACCESS_KEY: "secret\n",
    });
    assert.deepEqual(await ask(service.url, module), ["right, converted"]);
    await world.store.holds([module.key]);
  });

  test("tells statsd what it gets and puts", async () => {
    const module = madeModule("counted.so");
    await using world = await startWorld([module]);
    await using first = await world.start();
    await ask(first.url, module);
    await world.statsd.received(/sharedcache\.queue:0/);
    await using second = await world.start();
    await ask(second.url, module);
    const metrics = await world.statsd.received(/sharedcache\.get:.*result:hit/);
    assert.deepEqual(
      metrics
        .filter((metric) => metric.startsWith("eliot.sharedcache"))
        .map((metric) => metric.replace(/host:[^,]*,|,?host:[^,]*$/, "")),
      [
        "eliot.sharedcache.bytes:#|c|#direction:received",
        "eliot.sharedcache.bytes:#|c|#direction:sent",
        "eliot.sharedcache.get:#|h|#result:hit",
        "eliot.sharedcache.get:#|h|#result:miss",
        "eliot.sharedcache.left_alone:#|g|#",
        "eliot.sharedcache.put:#|h|#result:stored",
        "eliot.sharedcache.queue:#|g|#",
      ],
    );
  });
});
