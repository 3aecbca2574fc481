/** Faults of the disk and of what is in the folder: `FAULTS.md`'s first section. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  appendFile,
  cp,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ifAbsent } from "../../src/diskCache/files.ts";
import { temporaryFolder } from "../support/service.ts";
import { syntheticModule, symcacheOf, type SyntheticModule } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { ask, withoutRetries, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const run = promisify(execFile);
const pathOf = (harness: Harness, { key }: SyntheticModule) =>
  join(harness.folder, "symcache-v1", `${key}.symc`);

async function temporaryFiles(harness: Harness): Promise<string[]> {
  const entries = await readdir(join(harness.folder, "tmp"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("returns no wrong function after it was killed at any moment of converting, writing and renaming", async (t) => {
  const kills = times(4, 200);
  const random = new Random(1);
  const modules = Array.from({ length: kills }, (_, number) =>
    syntheticModule(`killed${number}.so`, 1 + random.below(20_000)),
  );
  const settled = syntheticModule("settled.so");
  await using harness = await startHarness([settled, ...modules], withoutRetries);
  await harness.ask(settled);
  for (const module of modules) {
    const response = harness.ask(module).catch(() => []);
    // The moments spread over the 200 ms that the largest takes, and some of them over its end.
    await new Promise((resolve) => setTimeout(resolve, random.below(250)));
    harness.service.signal("SIGKILL");
    await response;
    await harness.restart();
    await waitUntil(async () => (await temporaryFiles(harness)).length === 0);
    const [first, second] = await harness.ask(settled, module);
    assert.equal(first, "right, cached");
    assert.match(second ?? "", /^right/);
  }
  assert.deepEqual(await harness.kept(), [settled, ...modules].map(({ name }) => name).toSorted());
  t.diagnostic(`${kills} kills`);
});

/** Damages a whole symcache; whatever it does, the bytes are no longer those that were written. */
const damages: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes) => bytes.fill(0, 80),
  (bytes, random) => bytes.fill(0, 8 + random.below(bytes.length - 8)),
  (bytes, random) => {
    const page = random.below(Math.ceil(bytes.length / 4096)) * 4096;
    return bytes.fill(random.below(256), page, Math.min(page + 4096, bytes.length));
  },
  (bytes, random) => Buffer.concat([bytes, bytes.subarray(0, 1 + random.below(5000))]),
  (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
  },
];
const flipABit = (bytes: Buffer, random: Random) => {
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
};

test("converts a damaged symcache again within the request unless the lookup doesn't touch the damage", async (t) => {
  const cases = times(100, 10_000);
  const random = new Random(2);
  const modules = [1, 300, 2_000].map((functions) => syntheticModule(`damaged${functions}.so`, functions));
  const symcaches = modules.map(symcacheOf);
  await using harness = await startHarness(modules, withoutRetries);
  await harness.ask(...modules);
  let found = 0;
  for (let number = 0; number < cases; number++) {
    const index = random.below(modules.length);
    const module = modules[index]!;
    const whole = Buffer.from(symcaches[index]!);
    const damaged = (random.below(3) > 0 ? flipABit : random.pick(damages))(Buffer.from(whole), random);
    const isSame = damaged.equals(whole);
    const temporary = join(harness.folder, "tmp", "damaged");
    await writeFile(temporary, damaged);
    await rename(temporary, pathOf(harness, module));
    const [response] = await harness.ask(module);
    assert.match(response ?? "", isSame ? /^right, cached$/ : /^right, (cached|converted)$/);
    if (response === "right, converted") found++;
  }
  // What was not looked at may be damaged still; looked at as a whole, nothing is.
  for (const module of modules) {
    await rm(pathOf(harness, module));
    assert.deepEqual(await harness.ask(module), ["right, converted"]);
  }
  assert.deepEqual(await harness.kept(), modules.map(({ name }) => name).toSorted());
  t.diagnostic(`${cases} damaged symcaches, ${found} found by the lookup`);
});

test("returns no wrong function while an open symcache is truncated, extended, zeroed and repaired", async () => {
  const module = syntheticModule("module.so", 20_000);
  const whole = symcacheOf(module);
  await using harness = await startHarness([module], withoutRetries);
  await harness.ask(module);
  const random = new Random(9);
  const path = pathOf(harness, module);
  const changes = [
    () => truncate(path, random.below(whole.length)),
    () => appendFile(path, whole.subarray(0, random.below(10_000))),
    () => writeFile(path, Buffer.alloc(whole.length)),
    () => writeFile(path, whole),
  ];
  const over = new AbortController();
  const reader = async () => {
    for (let left = times(30, 1_500); left > 0; left--)
      assert.match((await harness.ask(module))[0] ?? "", /^right/);
  };
  const writer = async () => {
    // It may just not be there, for a reader found it damaged.
    while (!over.signal.aborted) await random.pick(changes)().catch(ifAbsent);
  };
  const writing = writer();
  await Promise.all([reader(), reader()]).finally(() => over.abort());
  await writing;
  await rm(path, { force: true });
  assert.deepEqual(await harness.ask(module), ["right, converted"]);
  assert.deepEqual(await harness.kept(), [module.name]);
});

test("replaces anything else at the path of a symcache, and follows no link", async () => {
  const other = syntheticModule("other.so");
  await using elsewhere = await temporaryFolder();
  const outside = join(elsewhere.path, "x.symc");
  const ownOutside = ({ id }: SyntheticModule) => join(elsewhere.path, `${id}.symc`);
  /** Each puts something at the path where the module's symcache would be. */
  const replacements: Record<string, (path: string, module: SyntheticModule) => Promise<unknown>> = {
    "another module's symcache": (path) => cp(outside, path),
    "a link to another module's symcache": (path) => symlink(outside, path),
    "a link to its own symcache elsewhere": (path, module) => symlink(ownOutside(module), path),
    "a link to itself": (path) => symlink(path, path),
    "a hard link to another module's symcache": (path) => link(pathOf(harness, other), path),
    "a pipe without a writer": (path) => run("mkfifo", [path]),
    "an endless device": (path) => run("mknod", [path, "c", "1", "5"]).catch(() => {}),
    "a folder": (path) => mkdir(path),
    "a folder with files": (path) => mkdir(join(path, "a/b"), { recursive: true }),
    "a file in place of its folder": async (path) => {
      await rm(dirname(path), { recursive: true });
      await writeFile(dirname(path), "");
    },
    "an empty file": (path) => writeFile(path, ""),
    "a text file": (path) => writeFile(path, "hello"),
  };
  const cases = Object.entries(replacements).map(([what, replace], index) => ({
    what,
    replace,
    module: syntheticModule(`module${index}.so`),
  }));
  const modules = [other, ...cases.map(({ module }) => module)];
  await using harness = await startHarness(modules, withoutRetries);
  await harness.ask(other);
  await cp(pathOf(harness, other), outside);
  for (const { module } of cases) await writeFile(ownOutside(module), symcacheOf(module));
  const outsideNames = (await readdir(elsewhere.path)).toSorted();
  for (const restarts of [true, false]) {
    for (const { replace, module } of cases) {
      const path = pathOf(harness, module);
      await rm(dirname(path), { recursive: true, force: true });
      await mkdir(dirname(path), { recursive: true });
      await replace(path, module);
    }
    if (restarts) await harness.restart();
    for (const { what, module } of cases) {
      assert.deepEqual(await harness.ask(module), ["right, converted"], what);
      assert.deepEqual(await harness.ask(module), ["right, cached"], what);
    }
    assert.deepEqual(await harness.kept(), modules.map(({ name }) => name).toSorted());
  }
  assert.deepEqual((await readdir(elsewhere.path)).toSorted(), outsideNames);
  assert.deepEqual(await readFile(outside), Buffer.from(symcacheOf(other)));
});

test("does not follow a link in place of a module's folder or change its target", async () => {
  const module = syntheticModule("module.so");
  await using elsewhere = await temporaryFolder();
  const outside = join(elsewhere.path, `${module.id}.symc`);
  await writeFile(outside, symcacheOf(module));
  await utimes(outside, 1, 1);
  await using harness = await startHarness([module], {
    ...withoutRetries,
    ELIOT_SYMBOLS_CACHE_MAX_SIZE: "1mb",
  });
  const folder = dirname(pathOf(harness, module));
  await symlink(elsewhere.path, folder);
  await harness.restart();
  assert.deepEqual(await harness.ask(module), ["right, converted"]);
  assert.deepEqual(await harness.ask(module), ["right, cached"]);
  assert.ok((await lstat(folder)).isDirectory());
  assert.equal((await stat(outside)).mtimeMs, 1000);
});

test("answers while the cache folder is removed, replaced by a file and restored, without a restart", async () => {
  const modules = Array.from({ length: 4 }, (_, number) => syntheticModule(`module${number}.so`));
  const [first, second, third] = modules as [SyntheticModule, SyntheticModule, SyntheticModule];
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    "diskCache.rescanIntervalMs": "50",
  });
  assert.deepEqual(await harness.ask(first), ["right, converted"]);
  await rm(harness.folder, { recursive: true, maxRetries: 10 });
  assert.deepEqual(await harness.ask(first), ["right, converted"]);
  assert.deepEqual(await harness.kept(), [first.name]);

  await rm(harness.folder, { recursive: true, maxRetries: 10 });
  await writeFile(harness.folder, "a file");
  assert.deepEqual(await harness.ask(first, second), ["right, converted", "right, converted"]);
  const heartbeat = await fetch(`${harness.service.url}/__heartbeat__`);
  const { checks } = (await heartbeat.json()) as { checks: object };
  assert.deepEqual([heartbeat.status, "cache_folder" in checks], [503, true]);
  await rm(harness.folder);
  assert.deepEqual(await harness.ask(first, third), ["right, converted", "right, converted"]);
  assert.deepEqual(await harness.ask(first, third), ["right, cached", "right, cached"]);
  assert.deepEqual(await harness.kept(), [first.name, third.name]);
});

test("uses a symcache larger than the limit once, without storing it or evicting others", async () => {
  const [small, large] = [syntheticModule("small.so"), syntheticModule("large.so", 5_000)];
  const cap = symcacheOf(small).length + 1000;
  await using harness = await startHarness([small, large], {
    ...withoutRetries,
    "diskCache.maxBytes": String(cap),
  });
  await harness.ask(small);
  for (let time = 0; time < 2; time++)
    assert.deepEqual(await harness.ask(large, small), ["right, converted", "right, cached"]);
  assert.deepEqual(await harness.kept(), [small.name]);
});

test("returns correct functions and keeps the limit while files are evicted during reads and writes", async () => {
  const random = new Random(3);
  const modules = Array.from({ length: 12 }, (_, number) =>
    syntheticModule(`evicted${number + 10}.so`, 2_000),
  );
  const cap = 2 * symcacheOf(modules[0]!).length + 1000;
  await using harness = await startHarness(modules, {
    ...withoutRetries,
    "diskCache.maxBytes": String(cap),
  });
  const requests = Array.from({ length: times(60, 2_000) }, () => [
    random.pick(modules),
    random.pick(modules),
  ]);
  const client = async () => {
    for (let pair; (pair = requests.pop());)
      for (const response of await harness.ask(...new Set(pair))) assert.match(response, /^right/);
  };
  await Promise.all(Array.from({ length: 6 }, client));
  const names = await harness.kept();
  assert.equal(names.length, 2);
  assert.ok(
    names.every((name) => name.startsWith("evicted")),
    String(names),
  );
});

test("uses and keeps all symcaches although only a few can be open at once", async () => {
  const modules = Array.from({ length: 200 }, (_, number) => syntheticModule(`module${number}.so`));
  const command = ["sh", "-c", `ulimit -n 120; exec ${process.execPath} src/main.ts`];
  await using harness = await startHarness(modules, withoutRetries, () => command);
  for (const module of modules) {
    await mkdir(dirname(pathOf(harness, module)));
    await writeFile(pathOf(harness, module), symcacheOf(module));
  }
  for (let time = 0; time < 2; time++)
    assert.deepEqual(
      await harness.ask(...modules),
      modules.map(() => "right, cached"),
    );
  assert.equal((await harness.kept()).length, modules.length);
});

test("removes temporary files of another, killed process while it runs", async () => {
  const module = syntheticModule("module.so");
  await using harness = await startHarness([module], {
    ...withoutRetries,
    "diskCache.rescanIntervalMs": "50",
  });
  await harness.ask(module);
  const left = join(harness.folder, "tmp", `${hostname()}-4194305-0a1b2c`);
  await mkdir(join(harness.folder, "elsewhere"));
  await writeFile(join(harness.folder, "elsewhere/0"), "half a symcache");
  await rename(join(harness.folder, "elsewhere"), left);
  await waitUntil(
    async () => !(await readdir(join(harness.folder, "tmp"))).includes(left.split("/").at(-1)!),
  );
  assert.deepEqual(await harness.kept(), [module.name]);
});

test("starts quickly with very many files in the folder, and enforces the limit once it has counted them", async (t) => {
  const files = times(2_000, 100_000);
  await using folder = await temporaryFolder();
  const bytes = 100;
  const id = "0123456789ABCDEF0123456789ABCDEF0";
  for (let number = 0; number < files; number++) {
    const path = join(folder.path, "symcache-v1", `old${number}.so`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, `${id}.symc`), "x".repeat(bytes));
    if (number < files / 2) await utimes(join(path, `${id}.symc`), 1, 1 + number);
  }
  const module = syntheticModule("new.so");
  const cap = (files / 2) * bytes + symcacheOf(module).length;
  const start = performance.now();
  await using harness = await startHarness([module], {
    ...withoutRetries,
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    "diskCache.maxBytes": String(cap),
  });
  t.diagnostic(`ready ${Math.round(performance.now() - start)} ms after its start, with ${files} files`);
  assert.deepEqual(await ask(harness.service.url, module), ["right, converted"]);
  const kept = () => readdir(join(folder.path, "symcache-v1"));
  // Where the disk is slow, what came is kept before all that must go is gone.
  await waitUntil(async () => (await kept()).length === files / 2 + 1);
  const left = await kept();
  assert.ok(left.includes("new.so") && left.includes(`old${files - 1}.so`) && !left.includes("old0.so"));
});

test("evicts the least recently used symcaches even if the clock is set back an hour and forward again", async () => {
  const modules = Array.from({ length: 9 }, (_, number) => syntheticModule(`timed${number}.so`));
  const code = `
    const { now } = Date;
    let set = -3_600_000;
    process.on("SIGUSR2", () => {
      const by = set;
      Date.now = () => now() + by;
      set = 0;
      console.log("the clock was set");
    });`;
  const start = [
    process.execPath,
    "--import",
    `data:text/javascript,${encodeURIComponent(code)}`,
    "src/main.ts",
  ];
  const settings = {
    ...withoutRetries,
    "diskCache.maxBytes": String(4 * symcacheOf(modules[0]!).length),
    "diskCache.rescanIntervalMs": "50",
  };
  await using harness = await startHarness(modules, settings, () => start);
  const stockIsTaken = () => new Promise((resolve) => setTimeout(resolve, 500));
  for (const module of modules.slice(0, 4)) await harness.ask(module);
  const [first, , , , ...news] = modules;
  let expected = modules.slice(0, 4);
  for (let time = 0; time < 2; time++) {
    const set = harness.service.logged("the clock was set");
    harness.service.signal("SIGUSR2");
    await set;
    assert.deepEqual(await harness.ask(first!), ["right, cached"]);
    await stockIsTaken();
    for (const module of news.splice(0, 2)) {
      assert.deepEqual(await harness.ask(module), ["right, converted"]);
      await stockIsTaken();
      expected = [...expected.filter((one) => one !== first).slice(1), first!, module];
      assert.deepEqual(await harness.kept(), expected.map(({ name }) => name).toSorted());
      assert.deepEqual(await harness.ask(first!), ["right, cached"]);
    }
  }
});
