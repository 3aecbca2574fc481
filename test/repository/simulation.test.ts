/** Fleets so small that what they must do is known by hand. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fewestRequests, firstModule, inTurn } from "../../simulation/balancers.ts";
import { Clock } from "../../simulation/clock.ts";
import { simulate, type Fleet } from "../../simulation/fleet.ts";
import { runThreeInstances } from "../../simulation/scenarios.ts";
import { keptInStore, sentBySource } from "../../simulation/speeds.ts";
import { makeTrace, type Group } from "../../simulation/trace.ts";

/** Everything takes the same time each time. A megabyte is downloaded in a second, unpacked in a tenth. */
const speeds = {
  lookup: 0.001,
  source: { latency: 1, sentBytes: Infinity },
  conversion: 1e6,
  store: { latency: 0.1, sentBytes: Infinity, unpacked: 10e6, packed: 1e6 },
  spread: 0,
};
const megabyte = 1e6;

/** Each request is for one module, `apart` seconds after the one before. */
function ask(modules: number[], apart: number, fleet: Partial<Fleet>) {
  const requests = modules.map((module, number) => ({ at: number * apart, modules: [module] }));
  const sizes = Array<number>(Math.max(...modules) + 1).fill(megabyte);
  return simulate(
    { sizes, requests },
    { instances: 1, folderBytes: 1e12, balancer: inTurn(), speeds, ...fleet },
  );
}

suite("simulation", () => {
  test("converts each module once where one instance has room for all", () => {
    const trace = makeTrace(
      {
        requests: 2000,
        rate: 2,
        builds: 10,
        program: [1, 2],
        libxul: [10, 20],
        large: { modules: 2, bytes: [5, 9], asked: 1 },
        small: { modules: 5, bytes: [1, 3], asked: 2 },
        system: { modules: 50, bytes: [1, 3], asked: 3 },
      },
      "1",
    );
    const asked = new Set(trace.requests.flatMap(({ modules }) => modules));
    const figures = simulate(trace, { instances: 1, folderBytes: 1e12, balancer: inTurn(), speeds });
    assert.equal(figures.conversions, asked.size);
    const bytes = [...asked].reduce((sum, module) => sum + sentBySource(trace.sizes[module]!), 0);
    assert.ok(Math.abs(figures.bytesFromSource - bytes) < 1);
    assert.equal(figures.busiest, 1);
  });

  test("answers after asking the symbol server, converting and looking up, or after looking up alone", () => {
    const { p50, p99 } = ask([0, 0, 0], 10, {});
    assert.deepEqual(
      [p50, p99].map((seconds) => seconds.toFixed(6)),
      ["0.001000", "2.001000"],
    );
  });

  test("lets no more conversions go on than there are converters", () => {
    // The default is 3.
    const { p99 } = ask([0, 1, 2, 3], 0, {});
    assert.equal(p99.toFixed(6), "3.001000");
  });

  test("lets all who ask wait for the one conversion that is under way", () => {
    assert.equal(ask([0, 0, 0, 0], 0.1, {}).conversions, 1);
  });

  test("forgets what was used longest ago, and makes it again", () => {
    const room = { folderBytes: 2 * megabyte };
    assert.equal(ask([0, 1, 0, 1], 10, room).conversions, 2);
    assert.equal(ask([0, 1, 2, 0, 1, 2], 10, room).conversions, 6);
    assert.equal(ask([0, 1, 0, 2, 0, 1], 10, room).conversions, 4);
    assert.equal(ask([0, 0], 10, { folderBytes: megabyte - 1 }).conversions, 2);
  });

  test("converts in each instance without a store, and once with one", () => {
    const modules = [0, 0, 0, 1, 1, 1];
    const fleet = { instances: 3 };
    assert.equal(ask(modules, 10, fleet).conversions, 6);
    const { conversions, atOnce, bytesFromSource, bytesFromStore } = ask(modules, 10, {
      ...fleet,
      store: new Set(),
    });
    assert.deepEqual([conversions, atOnce], [2, 0]);
    assert.equal(bytesFromSource, 2 * sentBySource(megabyte));
    assert.equal(bytesFromStore, 4 * keptInStore(megabyte));
    assert.equal(ask(modules, 10, { ...fleet, store: new Set([0, 1]) }).conversions, 0);
  });

  test("converts in as many instances as ask before the store has it", () => {
    const two = (apart: number) => ask([0, 0], apart, { instances: 2, store: new Set() });
    // The store is asked, then the symbol server, the conversion takes a second, and packing another.
    assert.deepEqual([two(0).conversions, two(0).atOnce], [2, 1]);
    assert.deepEqual([two(3.1).conversions, two(3.1).atOnce], [2, 1]);
    assert.deepEqual([two(3.3).conversions, two(3.3).atOnce], [1, 0]);
  });

  test("gives what is asked of three instances in turn one conversion, and at once at most three", () => {
    const sizes = Array<number>(200).fill(megabyte);
    assert.equal(runThreeInstances(sizes, 30).conversions, 200);
    const { conversions, atOnce } = runThreeInstances(sizes, 0);
    assert.ok(conversions <= 600);
    assert.equal(conversions - atOnce, 200);
  });

  test("chooses the instance with the fewest requests, and in turn where there are several", () => {
    const choose = fewestRequests();
    const request = { at: 0, modules: [0] };
    assert.equal(choose(request, [2, 1, 3]), 1);
    const idle = Array.from({ length: 6 }, () => choose(request, [0, 0, 0]));
    assert.deepEqual(
      idle.toSorted((one, other) => one - other),
      [0, 0, 1, 1, 2, 2],
    );
  });

  test("hashes so that one more instance takes modules over from all others, and moves no other", () => {
    const modules = Array.from({ length: 3000 }, (_, module) => module);
    const [four, five] = [firstModule(4), firstModule(5)].map((choose) =>
      modules.map((module) => choose({ at: 0, modules: [module] }, [])),
    ) as [number[], number[]];
    const moved = modules.filter((module) => four[module] !== five[module]);
    assert.ok(moved.every((module) => five[module] === 4));
    assert.ok(moved.length > 400 && moved.length < 800, String(moved.length));
    assert.equal(new Set(moved.map((module) => four[module])).size, 4);
  });

  test("asks for the first of n builds by Zipf's law", () => {
    const none: Group = { modules: 1, bytes: [1, 1], asked: 0 };
    const trace = makeTrace(
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

  test("does what is due in its order, and what is due at once in the order of asking", () => {
    const clock = new Clock();
    const done: string[] = [];
    for (const [number, seconds] of [5, 1, 3, 1, 4, 2, 1, 0].entries())
      clock.in(seconds, () => {
        done.push(`${seconds} ${number}`);
        if (seconds === 2) clock.in(0.5, () => done.push(`at ${clock.now}`));
      });
    clock.run();
    assert.deepEqual(done, ["0 7", "1 1", "1 3", "1 6", "2 5", "at 2.5", "3 2", "4 4", "5 0"]);
  });
});
