/** A container with little memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jobOf } from "../support/harness.ts";
import { startTestService } from "../support/service.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";

test("survives sym files that a container has no memory for, and converts others", async () => {
  const [large, small] = [syntheticModule("large.so", 600_000), syntheticModule("small.so")];
  await using server = await SymbolServer.start((socket, path) => {
    const module = [large, small].find((candidate) => candidate.path === path);
    return (module ? reply("200 OK", module.symFile) : reply("404 Not Found"))(socket, path);
  });
  const memoryLimit = { bytes: 450e6, source: "a test" };
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: server.url }, { memoryLimit });
  const statusOf = async (module: SyntheticModule) => {
    const { debug } = await service.symbolicate(jobOf([module]));
    return debug.modules.status_per_module[module.key]!;
  };
  for (let i = 0; i < 3; i++) {
    const { status, reason } = await statusOf(large);
    assert.equal(status, "too_large");
    assert.match(reason ?? "", /^its conversion needs more than 3\d MB of memory, .* memory limit allows$/);
  }
  assert.deepEqual(await statusOf(small), { status: "converted" });
  assert.deepEqual(server.hits, [large.path, small.path]);
});
