/** That a soak finds what it is there to find. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { syntheticModule } from "../support/syntheticModule.ts";
import { Random } from "../support/scale.ts";
import { absentModule, type Population } from "./modules.ts";
import { crashPings, oldRequest, profile } from "./request.ts";
import type { Sample } from "./sample.ts";
import { soak, type Soak } from "./soak.ts";
import { Counters } from "./counters.ts";
import { findings } from "./findings.ts";

const population: Population = {
  steady: [50, 500, 5_000].map((functions, index) =>
    syntheticModule(`steady${index}.so`, functions, { inlines: true }),
  ),
  usual: Array.from({ length: 30 }, (_, index) =>
    syntheticModule(`usual${index}.pdb`, 100, { inlines: true }),
  ),
  large: [syntheticModule("large.so", 50_000, { inlines: true })],
  absent: [absentModule(1), absentModule(2)],
};

/** A soak of a service into which `code` is loaded; it ends without a rest once that is enough. */
function soakWith(code: string, isEnough: (counters: Counters, samples: number) => boolean): Promise<Soak> {
  const enough = new AbortController();
  let samples = 0;
  return soak({
    minutes: 2,
    seed: 1,
    clients: 4,
    population,
    interval: 0.1,
    command: [
      process.execPath,
      "--import",
      `data:text/javascript,${encodeURIComponent(code)}`,
      "src/main.ts",
    ],
    onSample: (_, counters) => isEnough(counters, ++samples) && enough.abort(),
    signal: enough.signal,
  });
}

test("finds no wrong response among many kinds, but growth of memory and file handles", async () => {
  const leak = `
    import { openSync } from "node:fs";
    const kept = globalThis.kept = [];
    setInterval(() => kept.push(Buffer.alloc(4e6, 1), openSync("/dev/null"), openSync("/dev/null")), 100);
  `;
  const soaked = await soakWith(
    leak,
    ({ responses, modules }, taken) =>
      taken > 60 && responses.has("400") && responses.has("disconnected") && modules.has("cached"),
  );
  const { counters, samples } = soaked;
  assert.deepEqual(counters.wrong, []);
  for (const status of ["converted", "not_found"]) assert.ok(counters.modules.has(status), status);
  assert.ok(samples.some(({ responsesPerSecond, p99, median }) => responsesPerSecond > 0 && p99 >= median));
  const [memory = "", handles = ""] = findings(soaked);
  assert.match(
    memory,
    /^resident memory grew: in the median [0-9]+ MB until minute 0\.[0-9], [0-9]+ MB until/,
  );
  assert.match(handles, /^file handles grew: in the median [0-9]+ open until minute/);
});

test("finds wrong responses", async () => {
  const lie = `
    import { ServerResponse } from "node:http";
    const { write } = ServerResponse.prototype;
    ServerResponse.prototype.write = function (bytes, ...more) {
      const at = bytes.indexOf("::1");
      if (at > 0) bytes[at + 2] = 50;
      return write.call(this, bytes, ...more);
    };
  `;
  const { counters } = await soakWith(lie, ({ wrongResponses }) => wrongResponses > 0);
  assert.match(counters.wrong.join(), /"function":"in [a-z0-9.]+::2/);
});

/** Made samples of an hour, one in 5 s; quantities as functions of the minute. */
function samplesOf(quantities: (minute: number) => Partial<Sample>): Sample[] {
  const minutes = Array.from({ length: 720 }, (_, index) => (index + 1) / 12);
  return minutes.map((minute) => ({ ...atRest, minutes: minute, ...quantities(minute) }));
}
const atRest: Sample = { minutes: 0, megabytes: 500, handles: 60, symcacheHandles: 0, threads: 16, folderMegabytes: 100, responsesPerSecond: 0, median: NaN, p99: NaN }; // prettier-ignore
const found = (samples: Sample[], rest = atRest, counters = new Counters()) =>
  findings({
    counters,
    faults: new Map(),
    start: { ...atRest, handles: 65, symcacheHandles: 5 },
    samples,
    rest,
  });

test("generates the same requests for the same seed", () => {
  const asked = (seed: number) => {
    const random = new Random(1, seed);
    const requests = [
      ...profile(random, population),
      crashPings(random, population),
      oldRequest(random, population),
    ];
    return requests.map(({ body, headers }) => [Buffer.from(body).toString("base64"), headers]);
  };
  assert.deepEqual(asked(1), asked(1));
  assert.notDeepEqual(asked(1), asked(2));
});

test("treats values that fluctuate, or grew only at first, as constant", () => {
  const random = new Random(8, 1);
  const samples = samplesOf((minute) => ({
    megabytes: 400 + random.below(200) + Math.min(minute, 9) * 20,
    handles: random.below(10) === 0 ? 600 : 300,
  }));
  assert.deepEqual(found(samples), []);
});

test("detects slow growth below fluctuating values", () => {
  const random = new Random(8, 1);
  const samples = samplesOf((minute) => ({ megabytes: 400 + random.below(200) + minute * 1.7 }));
  assert.match(found(samples).join(), /^resident memory grew: /);
});

test("detects leaked file handles, except those of additional threads", () => {
  const samples = samplesOf(() => ({}));
  assert.deepEqual(found(samples, { ...atRest, handles: 64, threads: 17 }), []);
  assert.deepEqual(found(samples, { ...atRest, handles: 64 }), [
    "file handles are not given back: 64 at rest, 65 at the start",
  ]);
});

test("detects a folder over its limit at any time, and reports wrong responses", () => {
  const counters = new Counters();
  counters.isWrong("500: oh");
  const samples = samplesOf((minute) => ({ folderMegabytes: minute === 30 ? 151 : 100 }));
  assert.deepEqual(found(samples, atRest, counters), [
    "1 wrong responses, the first: 500: oh",
    "the folder held 151 MB, more than it may",
  ]);
});
