/** A disk that is full, read-only or hangs: one that only the service sees. It needs root, for a mount namespace. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import { syntheticModule, symcacheOf, type SyntheticModule } from "../support/syntheticModule.ts";
import { ask, withoutRetries, kept, startHarness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const run = promisify(execFile);
const canMount = canDo("mount -t tmpfs none /mnt");
const skip = canMount ? false : "mounting a tmpfs in a namespace of its own needs root";
/** A disk that promises more than it has: it takes all that is written, and has no room for it when it is flushed. */
const thinDisk = (folder: string) =>
  "mount -t tmpfs -o size=2m none /mnt && truncate -s 64m /mnt/disk && " +
  "mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=0,nodiscard /mnt/disk && " +
  `mount -o loop /mnt/disk ${folder}`;
const otherDisk = (folder: string) =>
  "mount -t tmpfs -o size=100m none /mnt && truncate -s 64m /mnt/disk && " +
  `mkfs.ext4 -q /mnt/disk && mount -o loop /mnt/disk ${folder}`;
const skipThin = canDo(thinDisk("/mnt")) ? false : "mounting a file as a disk needs root and mkfs.ext4";

/** Whether a command works in a mount namespace of its own. */
function canDo(command: string): boolean {
  return spawnSync("unshare", ["--mount", "sh", "-c", command], { stdio: "ignore" }).status === 0;
}

/** A world whose folder is a tmpfs with these mount options. */
const startOnTmpfs = (modules: SyntheticModule[], options: string, env: Record<string, string> = {}) =>
  startOnDisk(modules, (folder) => `mount -t tmpfs -o ${options} none ${folder}`, env);

/** A world whose folder is what a command mounts there, and ways to what only its service sees. */
async function startOnDisk(
  modules: SyntheticModule[],
  mount: (folder: string) => string,
  env: Record<string, string> = {},
) {
  const harness = await startHarness(modules, { ...withoutRetries, ...env }, (folder) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `${mount(folder)} && exec ${process.execPath} src/main.ts`,
  ]);
  const folder = `/proc/${harness.service.pid}/root${harness.folder}`;
  const inNamespace = (...command: string[]) =>
    run("nsenter", [`--mount=/proc/${harness.service.pid}/ns/mnt`, ...command]);
  return {
    folder,
    ask: (...asked: SyntheticModule[]) => ask(harness.service.url, ...asked),
    hits: harness.hits,
    kept: async () => (await kept(folder, modules)).filter((name) => name !== "filler"),
    remount: (how: string, where = harness.folder) => inNamespace("mount", "-o", `remount,${how}`, where),
    async heartbeat() {
      const response = await fetch(`${harness.service.url}/__heartbeat__`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      return `${response.status}, ${checks["cache_folder"]}`;
    },
    mountOver: () => inNamespace("mount", "-t", "tmpfs", "none", harness.folder),
    unmount: () => inNamespace("umount", "--lazy", harness.folder),
    /** Lets whoever writes to it wait, until the answer is disposed of. */
    async freeze() {
      await inNamespace("fsfreeze", "--freeze", harness.folder);
      const thaw = async () => void (await inNamespace("fsfreeze", "--unfreeze", harness.folder));
      return { [Symbol.asyncDispose]: thaw };
    },
    restart: () => harness.restart(),
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  };
}

const page = 4096;

test(
  "answers with any amount of disk space left, keeps only complete files, and recovers",
  { skip },
  async () => {
    const modules = Array.from({ length: 9 }, (_, index) => syntheticModule(`module${index}.so`, 300));
    const [settled, ...others] = modules as [SyntheticModule, ...SyntheticModule[]];
    await using harness = await startOnTmpfs(modules, "size=400k");
    assert.deepEqual(await harness.ask(settled), ["right, converted"]);
    const filler = join(harness.folder, "filler");
    const pages = Math.ceil(symcacheOf(settled).length / page);
    const leaving = [0, 1, 2, Math.floor(pages / 2), pages - 1, pages, pages + 1];
    for (const [index, left] of leaving.entries()) {
      // No room but for so many pages; then it is made.
      await writeFile(filler, Buffer.alloc(left * page));
      await writeFile(`${filler}-2`, Buffer.alloc(400 * 1024)).catch(() => {});
      await rm(filler);
      const module = others[index]!;
      assert.deepEqual(await harness.ask(settled, module), ["right, cached", "right, converted"]);
      for (const name of await harness.kept()) assert.ok(!name.startsWith("tmp/"), `${left} pages: ${name}`);
      await rm(`${filler}-2`);
      const again = await harness.ask(settled, module);
      assert.match(again[1] ?? "", /^right/);
      assert.deepEqual(await harness.ask(module), ["right, cached"]);
      assert.ok((await harness.kept()).includes(module.name), `${left} pages`);
    }
    for (const name of await harness.kept()) assert.match(name, /^module[0-9]\.so$/);
  },
);

test("answers if no file or folder can be created, and logs that", { skip }, async () => {
  const modules = Array.from({ length: 10 }, (_, index) => syntheticModule(`module${index}.so`));
  const [settled, ...others] = modules as [SyntheticModule, ...SyntheticModule[]];
  await using harness = await startOnTmpfs(modules, "size=2m,nr_inodes=60");
  assert.deepEqual(await harness.ask(settled), ["right, converted"]);
  for (const [left, module] of others.entries()) {
    const fillers = [];
    for (let index = 0; index < 60; index++) {
      const path = join(harness.folder, `filler-${index}`);
      if (
        !(await writeFile(path, "").then(
          () => true,
          () => false,
        ))
      )
        break;
      fillers.push(path);
    }
    for (const path of fillers.splice(0, left)) await rm(path);
    assert.deepEqual(
      await harness.ask(settled, module),
      ["right, cached", "right, converted"],
      `${left} inodes`,
    );
    // Another file can be made, but no folder for it.
    if (left === 1) assert.equal(await harness.heartbeat(), "503, error");
    for (const path of fillers) await rm(path);
    assert.match((await harness.ask(module))[0] ?? "", /^right/);
    assert.deepEqual(await harness.ask(module), ["right, cached"]);
  }
  const files = (await harness.kept()).filter((name) => !name.startsWith("filler"));
  assert.deepEqual(files, modules.map(({ name }) => name).toSorted());
});

test(
  "answers with a read-only cache folder, logs that, and recovers without a restart",
  { skip },
  async () => {
    const [one, other] = [syntheticModule("one.so"), syntheticModule("other.so")];
    await using harness = await startOnTmpfs([one, other], "size=1m");
    assert.deepEqual(await harness.ask(one), ["right, converted"]);
    await harness.remount("ro");
    assert.deepEqual(await harness.ask(one, other), ["right, cached", "right, converted"]);
    assert.equal(await harness.heartbeat(), "503, error");
    assert.deepEqual(await harness.kept(), [one.name]);
    await harness.remount("rw");
    assert.deepEqual(await harness.ask(one, other), ["right, cached", "right, converted"]);
    assert.deepEqual(await harness.ask(one, other), ["right, cached", "right, cached"]);
    assert.deepEqual(await harness.kept(), [one.name, other.name]);
    assert.equal(harness.hits(other), 2);
  },
);

test("never uses a damaged symcache in a read-only folder, and removes it later", { skip }, async () => {
  const module = syntheticModule("module.so");
  await using harness = await startOnTmpfs([module], "size=1m");
  await harness.ask(module);
  const path = join(harness.folder, "symcache-v1", `${module.key}.symc`);
  await writeFile(path, Buffer.alloc((await stat(path)).size));
  await harness.remount("ro");
  for (let time = 0; time < 2; time++) assert.deepEqual(await harness.ask(module), ["right, converted"]);
  await harness.remount("rw");
  assert.deepEqual(await harness.ask(module), ["right, converted"]);
  assert.deepEqual(await harness.ask(module), ["right, cached"]);
  assert.deepEqual(await readdir(join(harness.folder, "symcache-v1")), [module.name]);
});

test(
  "evicts only symcaches unused for an hour on a full disk, as many as a new one needs",
  { skip },
  async () => {
    const modules = Array.from({ length: 8 }, (_, index) => syntheticModule(`module${index}.so`, 300));
    const [old, older, recent, ...fresh] = modules as [
      SyntheticModule,
      SyntheticModule,
      SyntheticModule,
      ...SyntheticModule[],
    ];
    await using harness = await startOnTmpfs(modules, "size=400k", { "diskCache.rescanIntervalMs": "50" });
    for (const [module, hours] of [
      [old, 2],
      [older, 3],
    ] as const) {
      // prettier-ignore
      const path = join(harness.folder, "symcache-v1", `${module.key}.symc`);
      await mkdir(dirname(path));
      await writeFile(path, symcacheOf(module));
      await utimes(path, Date.now() / 1000 - hours * 3600, Date.now() / 1000 - hours * 3600);
    }
    assert.deepEqual(await harness.ask(recent), ["right, converted"]);
    await setTimeout(500);
    const filler = join(harness.folder, "filler");
    await writeFile(filler, Buffer.alloc(400 * 1024)).catch(() => {});

    const expected = [[old, recent, fresh[0]!], [recent, fresh[0]!, fresh[1]!]]; // prettier-ignore
    for (const [index, left] of expected.entries()) {
      assert.deepEqual(await harness.ask(fresh[index]!, recent), ["right, converted", "right, cached"]);
      assert.deepEqual(await harness.kept(), left.map(({ name }) => name)); // prettier-ignore
    }
    assert.deepEqual(await harness.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await harness.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await harness.kept(), expected[1]!.map(({ name }) => name)); // prettier-ignore
    await rm(filler);
    assert.deepEqual(await harness.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await harness.ask(fresh[2]!, recent), ["right, cached", "right, cached"]);
  },
);

test(
  "answers if the disk is full only when a file is flushed, and stores the symcache once there is space",
  { skip: skipThin },
  async () => {
    const modules = [1, 2, 3].map((index) => syntheticModule(`module${index}.so`, 20_000));
    // Large enough to be answered from while it is flushed.
    const large = syntheticModule("large.so", 320_000);
    await using harness = await startOnDisk([...modules, large], thinDisk);
    const outcomes = [];
    for (const module of modules) outcomes.push(...(await harness.ask(module)));
    assert.deepEqual(outcomes, modules.map(() => "right, converted")); // prettier-ignore
    const first = await harness.kept();
    assert.ok(first.length > 0 && first.length < modules.length, String(first));
    for (let time = 0; time < 3; time++)
      assert.match((await harness.ask(large))[0] ?? "", /^right, converted/);
    await waitUntil(async () => isDeepStrictEqual(await harness.kept(), first));
    await harness.remount("size=100m", "/mnt");
    await harness.ask(...modules, large);
    await waitUntil(async () => (await harness.kept()).length >= modules.length + 1);
    assert.deepEqual(await harness.ask(...modules, large), [...modules, large].map(() => "right, cached")); // prettier-ignore
  },
);

test("answers while another disk is mounted over the folder and unmounted", { skip }, async () => {
  const modules = ["one.so", "other.so"].map((name) => syntheticModule(name));
  await using harness = await startOnTmpfs(modules, "size=1m", { "diskCache.rescanIntervalMs": "50" });
  await harness.ask(modules[0]!);
  await harness.mountOver();
  assert.deepEqual(await harness.ask(...modules), ["right, converted", "right, converted"]);
  assert.deepEqual(await harness.ask(...modules), ["right, cached", "right, cached"]);
  await harness.unmount();
  assert.deepEqual(await harness.ask(...modules), ["right, cached", "right, converted"]);
  assert.deepEqual(await harness.ask(...modules), ["right, cached", "right, cached"]);
  assert.deepEqual(await harness.kept(), ["one.so", "other.so"]);
});

test(
  "answers while all writes to the disk hang, and stores symcaches again once they do not",
  { skip: skipThin },
  async () => {
    const modules = Array.from({ length: 4 }, (_, index) => syntheticModule(`module${index}.so`));
    const [settled, ...others] = modules as [SyntheticModule, ...SyntheticModule[]];
    await using harness = await startOnDisk(modules, otherDisk);
    await harness.ask(settled);
    {
      await using frozen = await harness.freeze();
      assert.ok(frozen);
      const answers = Promise.all(others.map((module) => harness.ask(module)));
      assert.deepEqual(await harness.ask(settled), ["right, cached"]);
      assert.equal(await harness.heartbeat(), "503, error");
      assert.deepEqual((await answers).flat(), others.map(() => "right, converted")); // prettier-ignore
      assert.deepEqual(await harness.ask(settled), ["right, cached"]);
    }
    for (const module of others) assert.match((await harness.ask(module))[0] ?? "", /^right/);
    assert.deepEqual(await harness.ask(...modules), modules.map(() => "right, cached")); // prettier-ignore
    assert.deepEqual(await harness.kept(), modules.map(({ name }) => name)); // prettier-ignore
  },
);
