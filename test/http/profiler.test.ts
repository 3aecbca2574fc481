/** The Firefox profiler's way of calling: one library a job, one stack, addresses in no order, no Content-Type of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestService, type V5Response } from "../support/service.ts";

const service = await startTestService();
test.after(() => service[Symbol.asyncDispose]());

const libraries = [
  ["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"],
  ["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"],
  ["attach_amd64.pdb", "446150EEE021480999C4BCE7828E15281"],
  ["missing.so", "000000000000000000000000000000000"],
] as const;

function job([name, id]: readonly [string, string], addresses: number[]) {
  return { memoryMap: [[name, id]], stacks: [addresses.map((address) => [0, address])] };
}

test("allows the preflight that a browser sends for its user-agent header", async () => {
  const response = await fetch(`${service.url}/symbolicate/v5`, {
    method: "OPTIONS",
    headers: {
      origin: "https://profiler.firefox.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "user-agent",
    },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("access-control-allow-methods"), "POST");
  assert.equal(response.headers.get("access-control-allow-headers"), "user-agent");
  assert.equal(response.headers.get("access-control-max-age"), "86400");
});

test("answers a text/plain request in the format of the profiler's schema", async () => {
  const addresses = [0x6322a, 0x1000, 0x65070];
  const response = await service.post(
    "/symbolicate/v5",
    JSON.stringify({ jobs: libraries.map((library) => job(library, addresses)) }),
    {
      "content-type": "text/plain;charset=UTF-8",
      origin: "https://profiler.firefox.com",
    },
  );
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  const { results } = (await response.json()) as V5Response;
  assert.deepEqual(
    results.map(({ found_modules }) => found_modules),
    libraries.map(([name, id]) => ({ [`${name}/${id}`]: name !== "missing.so" })),
  );
  for (const { stacks } of results) {
    assert.equal(stacks.length, 1);
    assert.deepEqual(
      stacks[0]?.map((frame) => frame["module_offset"]),
      addresses.map((address) => `0x${address.toString(16)}`),
    );
    for (const frame of stacks[0] ?? []) {
      assert.equal(typeof frame["module"], "string");
      assert.equal(typeof frame["frame"], "number");
      assert.ok(!Object.values(frame).includes(null));
      const { function_offset: functionOffset = "0x0" } = frame;
      assert.ok(typeof functionOffset === "string" && /^0x[0-9a-f]+$/.test(functionOffset));
    }
  }
});

test("returns the same for 60,000 addresses of one library as for each of them alone", async () => {
  const addresses = Array.from({ length: 60_000 }, (_, index) => 0xa0000 + ((index * 7919) % 0x150000));
  const { results } = await service.symbolicate({ jobs: [job(libraries[0], addresses)] });
  const frames = results[0]?.stacks[0] ?? [];
  assert.equal(frames.length, addresses.length);
  for (const index of [0, 1, 29_999, 59_998, 59_999]) {
    const alone = await service.symbolicate(job(libraries[0], [addresses[index] ?? 0]));
    const { frame: _, ...expected } = alone.results[0]?.stacks[0]?.[0] ?? {};
    const { frame, ...got } = frames[index] ?? {};
    assert.equal(frame, index);
    assert.deepEqual(got, expected);
  }
});

test("answers concurrent requests of the profiler", async () => {
  const alone = await service.symbolicate({ jobs: libraries.map((library) => job(library, [0x6322a])) });
  const together = await Promise.all(
    Array.from({ length: 30 }, () =>
      service.symbolicate({ jobs: libraries.map((library) => job(library, [0x6322a])) }),
    ),
  );
  for (const { results } of together) assert.deepEqual(results, alone.results);
});
