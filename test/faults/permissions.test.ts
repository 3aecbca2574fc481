/** What the service may not read, write or remove. Its process is root's without root's capabilities, so the test needs root. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, chown, mkdir, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { syntheticModule, symcacheOf, type SyntheticModule } from "../support/syntheticModule.ts";
import { withoutRetries, startHarness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const withoutCapabilities = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"];
const canDrop = spawnSync(withoutCapabilities[0]!, [...withoutCapabilities.slice(1), "true"]).status === 0;
const skip =
  canDrop && process.getuid?.() === 0
    ? false
    : "giving files away, and capabilities up, needs root and setpriv";
const nobody = 65534;

async function startBound(modules: SyntheticModule[], env: Record<string, string> = {}) {
  const command = [...withoutCapabilities, process.execPath, "src/main.ts"];
  const settings = { "diskCache.rescanIntervalMs": "50", ...withoutRetries, ...env };
  const harness = await startHarness(modules, settings, () => command);
  const path = ({ key }: SyntheticModule) => join(harness.folder, "symcache-v1", `${key}.symc`);
  return {
    harness,
    path,
    /** Puts a module's symcache there, last used at a time in seconds since 1970. */
    async put(module: SyntheticModule, used: number) {
      await mkdir(dirname(path(module)), { recursive: true });
      await writeFile(path(module), symcacheOf(module));
      await utimes(path(module), used, used);
    },
    async heartbeat() {
      const response = await fetch(`${harness.service.url}/__heartbeat__`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      return `${response.status}, ${checks["cache_folder"]}`;
    },
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  };
}

const modules = Array.from({ length: 6 }, (_, index) => syntheticModule(`module${index}.so`));
const [one, two, three, four] = modules as [
  SyntheticModule,
  SyntheticModule,
  SyntheticModule,
  SyntheticModule,
];
const bytes = symcacheOf(one).length;

test("converts a symcache again if it has no permission to read it", { skip }, async () => {
  await using bound = await startBound([one]);
  const { harness } = bound;
  await harness.ask(one);
  await chmod(bound.path(one), 0);
  await harness.restart();
  assert.deepEqual(await harness.ask(one), ["right, converted"]);
  assert.deepEqual(await harness.ask(one), ["right, cached"]);
});

test(
  "uses another owner's files, and answers without storing files that it may not replace",
  { skip },
  async () => {
    await using bound = await startBound([one, two]);
    const { harness } = bound;
    for (const module of [one, two]) {
      await bound.put(module, 1);
      await chown(bound.path(module), nobody, nobody);
      await chown(dirname(bound.path(module)), nobody, nobody);
    }
    await chmod(bound.path(two), 0o600);
    for (let time = 0; time < 2; time++)
      assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, converted"]);
    assert.deepEqual(await harness.kept(), [one.name, two.name]);
    await chmod(bound.path(two), 0o644);
    assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, cached"]);
  },
);

test("keeps the limit with files that it may not read or remove", { skip }, async () => {
  const cap = 2 * bytes + 100;
  await using bound = await startBound(modules, { "diskCache.maxBytes": String(cap) });
  const { harness } = bound;
  const foreign = [
    join(harness.folder, "symcache-v0/a"),
    join(harness.folder, "tmp", `${hostname()}-4194305-0a1b2c`),
    join(harness.folder, "symcache-v1/unreadable.so"),
  ];
  for (const path of foreign) {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "0"), "x");
    await chown(path, nobody, nobody);
  }
  await chmod(foreign[2]!, 0o700);
  await bound.put(one, 1);
  await chown(dirname(bound.path(one)), nobody, nobody);
  await bound.put(two, 2);
  await bound.put(three, 3);
  await harness.restart();
  const names = async () => (await harness.kept()).filter((name) => name.startsWith("module"));
  // The least recently used of them can't be removed, and doesn't stand in the way of the next.
  assert.deepEqual(await harness.ask(three, four), ["right, cached", "right, converted"]);
  await waitUntil(async () => !(await names()).includes(two.name));
  assert.deepEqual(await harness.ask(three, four), ["right, cached", "right, cached"]);
  for (const module of modules.slice(4)) assert.deepEqual(await harness.ask(module), ["right, converted"]);
  await waitUntil(async () => (await names()).length <= 3);
  assert.equal(await bound.heartbeat(), "200, ok");
});

test("logs that nothing can be stored if the cache folder is not writable", { skip }, async () => {
  await using bound = await startBound([one, two]);
  const { harness } = bound;
  await harness.ask(one);
  const folder = join(harness.folder, "symcache-v1");
  await chmod(folder, 0o555);
  assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, converted"]);
  assert.equal(await bound.heartbeat(), "503, error");
  assert.deepEqual(await harness.kept(), [one.name]);
  await chmod(folder, 0o755);
  assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, converted"]);
  assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, cached"]);
});

test("answers while all access to the folder is denied, and recovers", { skip }, async () => {
  await using bound = await startBound([one, two]);
  const { harness } = bound;
  await harness.ask(one);
  const { mode } = await stat(harness.folder);
  await chmod(harness.folder, 0);
  for (let time = 0; time < 2; time++)
    assert.deepEqual(await harness.ask(one, two), ["right, converted", "right, converted"]);
  assert.equal(await bound.heartbeat(), "503, error");
  await chmod(harness.folder, mode);
  assert.deepEqual(await harness.ask(one, two), ["right, cached", "right, converted"]);
  assert.deepEqual(await harness.kept(), [one.name, two.name]);
});
