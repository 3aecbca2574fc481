import assert from "node:assert/strict";
import {
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { DiskCache } from "../../src/diskCache/diskCache.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";

/** Modules of a few lines whose symcaches are all of one size. */
function moduleNamed(name: string) {
  const id = "0123456789ABCDEF0123456789ABCDEF0";
  return {
    key: `${name}/${id}`,
    job: { memoryMap: [[name, id]], stacks: [[[0, 0x1008]]] },
    path: `symcache-v1/${name}/${id}.symc`,
    id,
    symFile: `MODULE Linux x86_64 ${id} ${name}\nFILE 0 main.c\nFUNC 1000 10 0 main\n1000 10 42 0\n`,
  };
}
const flowers = ["aster", "daisy", "lilac", "peony", "tulip"].map(moduleNamed);
const [aster, daisy, lilac, peony, tulip] = flowers as [Flower, Flower, Flower, Flower, Flower];
type Flower = ReturnType<typeof moduleNamed>;

/** A garden: a folder of sym files, a folder for symcaches, and services over them that come and go. */
async function plant() {
  await using starting = new AsyncDisposableStack();
  const symbols = starting.use(await temporaryFolder());
  const cache = starting.use(await temporaryFolder());
  for (const { key, symFile } of flowers) {
    await mkdir(join(symbols.path, key), { recursive: true });
    await writeFile(join(symbols.path, key, `${key.split("/")[0]}.sym`), symFile);
  }
  const running = starting.move();
  return {
    symbols: symbols.path,
    cache: cache.path,
    start: (env: Record<string, string> = {}) =>
      startTestService({
        ELIOT_SYMBOLS_URLS: `file://${symbols.path}`,
        ELIOT_SYMBOLS_CACHE_DIR: cache.path,
        "sources.notFoundTtlMs": "0",
        ...env,
      }),
    async kept() {
      const entries = await readdir(cache.path, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(cache.path.length + 1));
      return files
        .map((file) => flowers.find(({ path }) => path === file)?.key.split("/")[0] ?? file)
        .toSorted();
    },
    /** Waits for what a start tidies up while it already answers; it may take a while on a busy machine. */
    async settles(names: string[]) {
      for (let time = 0; time < 500 && !isDeepStrictEqual(await this.kept(), names); time++)
        await setTimeout(20);
      assert.deepEqual(await this.kept(), names);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function statusOf(service: Awaited<ReturnType<typeof startTestService>>, { job, key }: Flower) {
  const { results, debug } = await service.symbolicate(job);
  const found = results[0]?.stacks[0]?.[0]?.["function"] === "main";
  return `${found ? "main" : "bare"}, ${debug.modules.status_per_module[key]?.status}`;
}

/** Bytes of one flower's symcache. */
async function symcacheSize(): Promise<number> {
  await using garden = await plant();
  await using service = await garden.start();
  await statusOf(service, aster);
  return (await stat(join(garden.cache, aster.path))).size;
}
const size = await symcacheSize();

test("keeps symcaches over a restart", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    assert.equal(await statusOf(service, aster), "main, converted");
    assert.equal(await statusOf(service, aster), "main, cached");
  }
  await rm(garden.symbols, { recursive: true });
  await using service = await garden.start();
  assert.equal(await statusOf(service, aster), "main, cached");
});

test("evicts the least recently used symcaches, and only as many as necessary", async () => {
  await using garden = await plant();
  await using service = await garden.start({ "diskCache.maxBytes": String(3 * size) });
  for (const flower of [aster, daisy, lilac]) await statusOf(service, flower);
  assert.deepEqual(await garden.kept(), ["aster", "daisy", "lilac"]);
  assert.equal(await statusOf(service, aster), "main, cached");
  await statusOf(service, peony);
  assert.deepEqual(await garden.kept(), ["aster", "lilac", "peony"]);
  await statusOf(service, tulip);
  assert.deepEqual(await garden.kept(), ["aster", "peony", "tulip"]);
  assert.equal(await statusOf(service, daisy), "main, converted");
});

test("evicts only as many symcaches as necessary while it rescans the folder continuously", async () => {
  await using garden = await plant();
  await using service = await garden.start({
    "diskCache.maxBytes": String(3 * size),
    "diskCache.rescanIntervalMs": "10",
  });
  for (let round = 0; round < 8; round++)
    for (const flower of flowers) {
      await statusOf(service, flower);
      if (round > 0) assert.equal((await garden.kept()).length, 3);
    }
});

test("remembers the order of use over a restart", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    for (const flower of [aster, daisy, lilac, aster]) await statusOf(service, flower);
  }
  await using service = await garden.start({ "diskCache.maxBytes": String(3 * size) });
  await statusOf(service, peony);
  assert.deepEqual(await garden.kept(), ["aster", "lilac", "peony"]);
});

test("treats a timestamp in the future as a use before the start", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    for (const flower of [aster, daisy, lilac]) await statusOf(service, flower);
  }
  await utimes(join(garden.cache, aster.path), 4e9, 4e9);
  const cap = { "diskCache.maxBytes": String(3 * size) };
  {
    await using service = await garden.start({ ...cap, "diskCache.rescanIntervalMs": "50" });
    for (const flower of [daisy, lilac]) await statusOf(service, flower);
    await setTimeout(200);
    await statusOf(service, peony);
    assert.deepEqual(await garden.kept(), ["daisy", "lilac", "peony"]);
  }
  await utimes(join(garden.cache, daisy.path), 4e9, 4e9);
  {
    await using service = await garden.start(cap);
    const countSymcaches = async () => {
      const response = await fetch(`${service.url}/cache`);
      return ((await response.json()) as { symcaches: number }).symcaches;
    };
    while ((await countSymcaches()) < 3) await setTimeout(10);
  }
  assert.ok((await stat(join(garden.cache, daisy.path))).mtimeMs < 4e12);
});

test("evicts symcaches over the limit at the start", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    for (const flower of [aster, daisy, lilac]) await statusOf(service, flower);
  }
  await utimes(join(garden.cache, lilac.path), 1, 1);
  await using service = await garden.start({ "diskCache.maxBytes": String(2 * size) });
  assert.ok(service.url);
  await garden.settles(["aster", "daisy"]);
});

test("uses a symcache larger than the cache once, without storing it or evicting others", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    await statusOf(service, aster);
  }
  const large = moduleNamed("large");
  const lines = Array.from(
    { length: 500 },
    (_, index) => `FUNC ${(0x2000 + index * 16).toString(16)} 10 0 function${index}\n`,
  );
  await mkdir(join(garden.symbols, large.key), { recursive: true });
  await writeFile(join(garden.symbols, large.key, "large.sym"), large.symFile + lines.join(""));
  await using service = await garden.start({ "diskCache.maxBytes": String(size) });
  assert.equal(await statusOf(service, large), "main, converted");
  assert.equal(await statusOf(service, large), "main, converted");
  assert.deepEqual(await garden.kept(), ["aster"]);
});

test("answers a request for ten modules with a cache that has space for one", async () => {
  await using garden = await plant();
  await using service = await garden.start({ "diskCache.maxBytes": String(size) });
  const { results } = await service.symbolicate({
    memoryMap: flowers.map(({ job }) => job.memoryMap[0]),
    stacks: [flowers.map((_, index) => [index, 0x1008])],
  });
  assert.deepEqual(
    results[0]?.stacks[0]?.map((frame) => frame["function"]),
    flowers.map(() => "main"),
  );
  assert.equal((await garden.kept()).length, 1);
});

const damages: [string, (path: string) => Promise<void>][] = [
  ["cut in half", (path) => truncate(path, Math.floor(size / 2))],
  ["empty", (path) => truncate(path, 0)],
  ["zeroed behind its header", async (path) => writeFile(path, (await readFile(path)).fill(0, 80))],
  [
    "with one bit flipped",
    async (path) => {
      const bytes = await readFile(path);
      bytes[200] = (bytes[200] ?? 0) ^ 4;
      await writeFile(path, bytes);
    },
  ],
  ["another module's", async (path) => cp(path.replace("aster", "daisy"), path)],
  ["no symcache at all", (path) => writeFile(path, "hello")],
  [
    "a folder",
    async (path) => {
      await rm(path);
      await mkdir(path);
    },
  ],
  ["gone", (path) => rm(path)],
];
for (const [what, damage] of damages) {
  test(`converts a symcache that is ${what} again within the request`, async () => {
    await using garden = await plant();
    await using service = await garden.start();
    for (const flower of [aster, daisy]) await statusOf(service, flower);
    await damage(join(garden.cache, aster.path));
    assert.equal(await statusOf(service, aster), "main, converted");
    assert.equal(await statusOf(service, aster), "main, cached");
    assert.deepEqual(await garden.kept(), ["aster", "daisy"]);
  });
}

test("does not follow a link in place of a symcache", async () => {
  await using garden = await plant();
  await using elsewhere = await temporaryFolder();
  {
    await using service = await garden.start();
    await statusOf(service, aster);
  }
  await cp(join(garden.cache, aster.path), join(elsewhere.path, "aster.symc"));
  await rm(join(garden.cache, aster.path));
  await symlink(join(elsewhere.path, "aster.symc"), join(garden.cache, aster.path));
  await using service = await garden.start();
  assert.equal(await statusOf(service, aster), "main, converted");
});

test("removes only symcaches of other versions and temporary files of dead processes at the start", async () => {
  await using garden = await plant();
  const host = hostname();
  // Process 1 is alive, but was given its number after a reboot.
  const reused = `tmp/${host}-1-0a1b2c/0`;
  const left = [
    "symcache-v0/aster/A.symc",
    `tmp/${host}-${process.pid}-0a1b2c/0`,
    `tmp/${host}-4194305-0a1b2c/0`,
    reused,
  ];
  const letters = "tmp/letters/1";
  const foreign = ["tmp/otherhost-1-0a1b2c/0", letters, "notes.txt", "symcache-views/1"];
  for (const path of [...left, ...foreign]) {
    await mkdir(join(garden.cache, path, ".."), { recursive: true });
    await writeFile(join(garden.cache, path), "x");
  }
  for (const old of [reused, letters]) await utimes(join(garden.cache, old, ".."), 1, 1);
  await using service = await garden.start();
  assert.ok(service.url);
  await garden.settles(foreign.toSorted());
});

test("answers without caching while the cache folder is a file, logs that, and recovers", async () => {
  await using garden = await plant();
  await using service = await garden.start();
  await rm(garden.cache, { recursive: true });
  await writeFile(garden.cache, "a file");
  assert.equal(await statusOf(service, aster), "main, converted");
  const heartbeat = await fetch(`${service.url}/__heartbeat__`);
  const health = (await heartbeat.json()) as { status: string; checks: Record<string, string> };
  assert.deepEqual([heartbeat.status, health.status, health.checks["cache_folder"]], [503, "error", "error"]);
  await rm(garden.cache);
  assert.equal(await statusOf(service, aster), "main, converted");
  assert.equal(await statusOf(service, aster), "main, cached");
});

test("explains why a removed folder that is still mounted can't be used", async () => {
  await using garden = await plant();
  await using service = await garden.start({ ELIOT_SYMBOLS_CACHE_DIR: "/proc/nowhere" });
  assert.equal(await statusOf(service, aster), "main, converted");
  const heartbeat = await fetch(`${service.url}/__heartbeat__`);
  assert.match(await heartbeat.text(), /no such file or directory, mkdir '\/proc\/nowhere/);
});

test("leaves no temporary file behind", async () => {
  await using garden = await plant();
  {
    await using service = await garden.start();
    for (const flower of flowers) await statusOf(service, flower);
  }
  assert.deepEqual(await readdir(join(garden.cache, "tmp")), []);
});

test("starts no thread to list the folder after it has been closed", async () => {
  await using cache = await temporaryFolder();
  await mkdir(join(cache.path, "symcache-v1", "aster"), { recursive: true });
  let started = 0;
  const count = () => void started++;
  process.on("worker", count);
  const faults: unknown[] = [];
  const events = { evicted() {}, used() {}, failed: (error: unknown) => void faults.push(error) };
  const folder = new DiskCache(cache.path, 1e9, 60_000, events);
  await folder[Symbol.asyncDispose]();
  await folder.settled();
  process.off("worker", count);
  assert.deepEqual([started, faults], [0, []]);
});
