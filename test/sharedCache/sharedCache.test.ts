/** The shared cache against a real S3 server. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { syntheticModule, symcacheOf, type SyntheticModule } from "../support/syntheticModule.ts";
import { ask } from "../support/harness.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { noS3Server, startS3Server } from "../support/s3Server.ts";
import { startStatsdServer } from "../support/statsdServer.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

/** A symbol server that has the modules, a store, and services that are started with both. */
async function startHarness(modules: SyntheticModule[]) {
  await using starting = new AsyncDisposableStack();
  const store = starting.use(await startS3Server());
  const statsd = starting.use(await startStatsdServer());
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

suite("a shared cache", { skip: noS3Server }, () => {
  test("gives another instance the same symcache, byte for byte", async () => {
    const modules = [
      syntheticModule("small.so"),
      syntheticModule("inlines +~@[1].so", 2000, { inlines: true }),
      // Several chunks, and more than is asked for at first.
      syntheticModule("large.so", 400_000, { inlines: true }),
    ];
    await using harness = await startHarness(modules);
    {
      await using first = await harness.start();
      assert.deepEqual(
        await ask(first.url, ...modules),
        modules.map(() => "right, converted"),
      );
      await harness.store.holds(modules.map(({ key }) => key));
    }
    await using folder = await temporaryFolder();
    {
      await using second = await harness.start({ ELIOT_SYMBOLS_CACHE_DIR: folder.path });
      assert.deepEqual(
        await ask(second.url, ...modules),
        modules.map(() => "right, cached"),
      );
    }
    assert.equal(harness.server.hits.length, modules.length);
    for (const module of modules) {
      const path = join(folder.path, "symcache-v1", `${module.key}.symc`);
      assert.equal(Buffer.compare(await readFile(path), symcacheOf(module)), 0);
    }
  });

  test("converts while the shared cache is down, and uses it again when it is back", async () => {
    const [before, meanwhile, after] = ["before.so", "meanwhile.so", "after.so"].map((name) =>
      syntheticModule(name),
    ) as [SyntheticModule, SyntheticModule, SyntheticModule];
    await using harness = await startHarness([before, meanwhile, after]);
    await using first = await harness.start();
    await ask(first.url, before, after);
    await harness.store.holds([before.key, after.key]);
    await using second = await harness.start({ "sharedCache.breakerCooldownMs": "1" });
    assert.deepEqual(await ask(second.url, before), ["right, cached"]);
    const startAgain = await harness.store.stop();
    assert.deepEqual(await ask(second.url, before, meanwhile), ["right, cached", "right, converted"]);
    await startAgain();
    assert.deepEqual(await ask(second.url, after), ["right, cached"]);
  });

  test("converts if the shared cache rejects the credentials, and logs its reason", async () => {
    const module = syntheticModule("forbidden.so");
    await using harness = await startHarness([module]);
    await using service = await harness.start({ AWS_SECRET_ACCESS_KEY: "another" });
    assert.deepEqual(await ask(service.url, module), ["right, converted"]);
    const [line] = service.log.filter(({ Fields }) => Fields["msg"] === "shared cache read failed");
    assert.match(String(line?.Fields["error"]), /responded with 403 SignatureDoesNotMatch/);
  });

  test("accepts an endpoint and a prefix with or without slashes", async () => {
    const module = syntheticModule("written.so");
    await using harness = await startHarness([module]);
    const { port } = new URL(harness.store.settings.ELIOT_SHARED_CACHE_ENDPOINT);
    await using service = await harness.start({
      ELIOT_SHARED_CACHE_ENDPOINT: `HTTP://LocalHost:${port}/`,
      // As it comes out of a secret that was made of a file.
      AWS_ACCESS_KEY_ID: "key\n",
      AWS_SECRET_ACCESS_KEY: "secret\n",
    });
    assert.deepEqual(await ask(service.url, module), ["right, converted"]);
    await harness.store.holds([module.key]);
  });

  test("counts gets and puts in statsd", async () => {
    const module = syntheticModule("counted.so");
    await using harness = await startHarness([module]);
    await using first = await harness.start();
    await ask(first.url, module);
    await harness.statsd.received(/sharedcache\.queue:0/);
    await using second = await harness.start();
    await ask(second.url, module);
    const metrics = await harness.statsd.received(/sharedcache\.get:.*result:hit/);
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
