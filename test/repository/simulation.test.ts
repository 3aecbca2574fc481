/** Fleets small enough to compute the expected result by hand. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fewestRequests, firstModule, roundRobin } from "../../simulation/balancers.ts";
import { Clock } from "../../simulation/clock.ts";
import { simulate, type Fleet } from "../../simulation/fleet.ts";
import { downloadBytes, packedBytes } from "../../simulation/speeds.ts";
import { generateTrace, type ModuleGroup } from "../../simulation/trace.ts";

/** A symcache of one megabyte takes a second to convert, a second to pack and 0.1 s to unpack. */
const speeds = {
  lookup: 0.001,
  source: { latency: 1, rate: Infinity },
  conversion: 1e6,
  store: { latency: 0.1, rate: Infinity, unpack: 10e6, pack: 1e6 },
  jitter: 0,
};
const megabyte = 1e6;

/** Sends a request for each module, `interval` seconds apart. */
function run(modules: number[], interval: number, fleet: Partial<Fleet>) {
  const requests = modules.map((module, index) => ({ at: index * interval, modules: [module] }));
  const sizes = Array<number>(Math.max(...modules) + 1).fill(megabyte);
  return simulate(
    { sizes, requests },
    { instances: 1, folderBytes: 1e12, balancer: roundRobin(), speeds, ...fleet },
  );
}

suite("simulation", () => {
  test("converts each module once if a single instance has space for all", () => {
    const trace = generateTrace(
      {
        requests: 2000,
        rate: 2,
        builds: 10,
        program: [1, 2],
        libxul: [10, 20],
        large: { modules: 2, bytes: [5, 9], perRequest: 1 },
        small: { modules: 5, bytes: [1, 3], perRequest: 2 },
        system: { modules: 50, bytes: [1, 3], perRequest: 3 },
      },
      "1",
    );
    const requested = new Set(trace.requests.flatMap(({ modules }) => modules));
    const result = simulate(trace, { instances: 1, folderBytes: 1e12, balancer: roundRobin(), speeds });
    assert.equal(result.conversions, requested.size);
    const bytes = [...requested].reduce((sum, module) => sum + downloadBytes(trace.sizes[module]!), 0);
    assert.ok(Math.abs(result.downloadedBytes - bytes) < 1);
    assert.equal(result.busiest, 1);
  });

  test("takes latency, conversion and lookup for a miss, and only the lookup for a hit", () => {
    const { p50, p99 } = run([0, 0, 0], 10, {});
    assert.deepEqual(
      [p50, p99].map((seconds) => seconds.toFixed(6)),
      ["0.001000", "2.001000"],
    );
  });

  test("runs as many conversions at a time as there are converters", () => {
    // The default is 3.
    const { p99 } = run([0, 1, 2, 3], 0, {});
    assert.equal(p99.toFixed(6), "3.001000");
  });

  test("converts a module once for concurrent requests", () => {
    assert.equal(run([0, 0, 0, 0], 0.1, {}).conversions, 1);
  });

  test("evicts the least recently used module and converts it again", () => {
    const twoModules = { folderBytes: 2 * megabyte };
    assert.equal(run([0, 1, 0, 1], 10, twoModules).conversions, 2);
    assert.equal(run([0, 1, 2, 0, 1, 2], 10, twoModules).conversions, 6);
    assert.equal(run([0, 1, 0, 2, 0, 1], 10, twoModules).conversions, 4);
    assert.equal(run([0, 0], 10, { folderBytes: megabyte - 1 }).conversions, 2);
  });

  test("converts once per instance without a shared cache, and once in all with one", () => {
    const modules = [0, 0, 0, 1, 1, 1];
    const fleet = { instances: 3 };
    assert.equal(run(modules, 10, fleet).conversions, 6);
    const { conversions, duplicates, downloadedBytes, fetchedBytes } = run(modules, 10, {
      ...fleet,
      store: new Set(),
    });
    assert.deepEqual([conversions, duplicates], [2, 0]);
    assert.equal(downloadedBytes, 2 * downloadBytes(megabyte));
    assert.equal(fetchedBytes, 4 * packedBytes(megabyte));
    assert.equal(run(modules, 10, { ...fleet, store: new Set([0, 1]) }).conversions, 0);
  });

  test("converts on each instance that is asked before the shared cache has the module", () => {
    const two = (interval: number) => run([0, 0], interval, { instances: 2, store: new Set() });
    // 0.1 s and 1 s of latency, 1 s of conversion, 0.1 s and 1 s of packing and upload.
    assert.deepEqual([two(0).conversions, two(0).duplicates], [2, 1]);
    assert.deepEqual([two(3.1).conversions, two(3.1).duplicates], [2, 1]);
    assert.deepEqual([two(3.3).conversions, two(3.3).duplicates], [1, 0]);
  });

  test("converts once for three instances one after the other, and at most three times at once", () => {
    const sizes = Array<number>(200).fill(megabyte);
    const runThreeInstances = (interval: number) => {
      const requests = sizes.flatMap((_, module) =>
        [0, 1, 2].map((index) => ({ at: index * interval, modules: [module] })),
      );
      return simulate(
        { sizes, requests },
        { instances: 3, folderBytes: 1e12, balancer: roundRobin(), store: new Set(), speeds },
      );
    };
    assert.equal(runThreeInstances(1000).conversions, 200);
    const { conversions, duplicates } = runThreeInstances(0);
    assert.ok(conversions <= 600);
    assert.equal(conversions - duplicates, 200);
  });

  test("chooses the instance with the fewest requests, and round robin among equals", () => {
    const choose = fewestRequests();
    const request = { at: 0, modules: [0] };
    assert.equal(choose(request, [2, 1, 3]), 1);
    const idle = Array.from({ length: 6 }, () => choose(request, [0, 0, 0]));
    assert.deepEqual(
      idle.toSorted((a, b) => a - b),
      [0, 0, 1, 1, 2, 2],
    );
  });

  test("moves modules only to the new instance when one is added to the hash ring", () => {
    const modules = Array.from({ length: 3000 }, (_, module) => module);
    const [four, five] = [firstModule(4), firstModule(5)].map((choose) =>
      modules.map((module) => choose({ at: 0, modules: [module] }, [])),
    ) as [number[], number[]];
    const moved = modules.filter((module) => four[module] !== five[module]);
    assert.ok(moved.every((module) => five[module] === 4));
    assert.ok(moved.length > 400 && moved.length < 800, String(moved.length));
    assert.equal(new Set(moved.map((module) => four[module])).size, 4);
  });

  test("draws builds by Zipf's law", () => {
    const none: ModuleGroup = { modules: 1, bytes: [1, 1], perRequest: 0 };
    const trace = generateTrace(
      {
        requests: 10_000,
        rate: 1,
        builds: 4,
        program: [1, 1],
        libxul: [1, 1],
        large: none,
        small: none,
        system: none,
      },
      "1",
    );
    const counts = Object.values(Object.groupBy(trace.requests, ({ modules }) => modules[0]!));
    const shares = counts.map((requests = []) => requests.length / 10_000);
    const expected = [1, 1 / 2, 1 / 3, 1 / 4].map((weight) => weight / (25 / 12));
    for (const [build, share] of shares.entries())
      assert.ok(Math.abs(share - expected[build]!) < 0.02, `build ${build}: ${share}`);
  });

  test("runs callbacks by due time, and simultaneous ones in the order of scheduling", () => {
    const clock = new Clock();
    const log: string[] = [];
    for (const [index, seconds] of [5, 1, 3, 1, 4, 2, 1, 0].entries())
      clock.in(seconds, () => {
        log.push(`${seconds} ${index}`);
        if (seconds === 2) clock.in(0.5, () => log.push(`at ${clock.now}`));
      });
    clock.run();
    assert.deepEqual(log, ["0 7", "1 1", "1 3", "1 6", "2 5", "at 2.5", "3 2", "4 4", "5 0"]);
  });
});
