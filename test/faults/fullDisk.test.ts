/** A disk that is full, read-only or hangs: one that only the service sees. It needs root, for a mount namespace. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import { madeModule, symcacheOf, type MadeModule } from "./madeModule.ts";
import { ask, impatient, kept, startWorld } from "./world.ts";

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
const startOnTmpfs = (modules: MadeModule[], options: string, env: Record<string, string> = {}) =>
  startOnDisk(modules, (folder) => `mount -t tmpfs -o ${options} none ${folder}`, env);

/** A world whose folder is what a command mounts there, and ways to what only its service sees. */
async function startOnDisk(
  modules: MadeModule[],
  mount: (folder: string) => string,
  env: Record<string, string> = {},
) {
  const world = await startWorld(modules, { ...impatient, ...env }, (folder) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `${mount(folder)} && exec ${process.execPath} src/main.ts`,
  ]);
  const folder = `/proc/${world.service.pid}/root${world.folder}`;
  const inNamespace = (...command: string[]) =>
    run("nsenter", [`--mount=/proc/${world.service.pid}/ns/mnt`, ...command]);
  return {
    folder,
    ask: (...asked: MadeModule[]) => ask(world.service.url, ...asked),
    hits: world.hits,
    kept: async () => (await kept(folder, modules)).filter((name) => name !== "filler"),
    remount: (how: string, where = world.folder) => inNamespace("mount", "-o", `remount,${how}`, where),
    async heartbeat() {
      const response = await fetch(`${world.service.url}/__heartbeat__`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      return `${response.status}, ${checks["cache_folder"]}`;
    },
    mountOver: () => inNamespace("mount", "-t", "tmpfs", "none", world.folder),
    unmount: () => inNamespace("umount", "--lazy", world.folder),
    /** Lets whoever writes to it wait, until the answer is disposed of. */
    async freeze() {
      await inNamespace("fsfreeze", "--freeze", world.folder);
      const thaw = async () => void (await inNamespace("fsfreeze", "--unfreeze", world.folder));
      return { [Symbol.asyncDispose]: thaw };
    },
    restart: () => world.restart(),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

const page = 4096;

test(
  "answers, however little the disk has left, keeps whole files only, and all is well once it has room",
  { skip },
  async () => {
    const modules = Array.from({ length: 9 }, (_, number) => madeModule(`module${number}.so`, 300));
    const [settled, ...others] = modules as [MadeModule, ...MadeModule[]];
    await using world = await startOnTmpfs(modules, "size=400k");
    assert.deepEqual(await world.ask(settled), ["right, converted"]);
    const filler = join(world.folder, "filler");
    const pages = Math.ceil(symcacheOf(settled).length / page);
    const leaving = [0, 1, 2, Math.floor(pages / 2), pages - 1, pages, pages + 1];
    for (const [number, left] of leaving.entries()) {
      // No room but for so many pages; then it is made.
      await writeFile(filler, Buffer.alloc(left * page));
      await writeFile(`${filler}-2`, Buffer.alloc(400 * 1024)).catch(() => {});
      await rm(filler);
      const module = others[number]!;
      assert.deepEqual(await world.ask(settled, module), ["right, cached", "right, converted"]);
      for (const name of await world.kept()) assert.ok(!name.startsWith("tmp/"), `${left} pages: ${name}`);
      await rm(`${filler}-2`);
      const again = await world.ask(settled, module);
      assert.match(again[1] ?? "", /^right/);
      assert.deepEqual(await world.ask(module), ["right, cached"]);
      assert.ok((await world.kept()).includes(module.name), `${left} pages`);
    }
    for (const name of await world.kept()) assert.match(name, /^module[0-9]\.so$/);
  },
);

test("answers where no file or no folder can be made any more, and says so", { skip }, async () => {
  const modules = Array.from({ length: 10 }, (_, number) => madeModule(`module${number}.so`));
  const [settled, ...others] = modules as [MadeModule, ...MadeModule[]];
  await using world = await startOnTmpfs(modules, "size=2m,nr_inodes=60");
  assert.deepEqual(await world.ask(settled), ["right, converted"]);
  for (const [left, module] of others.entries()) {
    const fillers = [];
    for (let number = 0; number < 60; number++) {
      const path = join(world.folder, `filler-${number}`);
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
      await world.ask(settled, module),
      ["right, cached", "right, converted"],
      `${left} inodes`,
    );
    // Another file can be made, but no folder for it.
    if (left === 1) assert.equal(await world.heartbeat(), "503, error");
    for (const path of fillers) await rm(path);
    assert.match((await world.ask(module))[0] ?? "", /^right/);
    assert.deepEqual(await world.ask(module), ["right, cached"]);
  }
  const files = (await world.kept()).filter((name) => !name.startsWith("filler"));
  assert.deepEqual(files, modules.map(({ name }) => name).toSorted());
});

test(
  "says that the folder is read-only, answers all the same, and is well again without a restart",
  { skip },
  async () => {
    const [one, other] = [madeModule("one.so"), madeModule("other.so")];
    await using world = await startOnTmpfs([one, other], "size=1m");
    assert.deepEqual(await world.ask(one), ["right, converted"]);
    await world.remount("ro");
    assert.deepEqual(await world.ask(one, other), ["right, cached", "right, converted"]);
    assert.equal(await world.heartbeat(), "503, error");
    assert.deepEqual(await world.kept(), [one.name]);
    await world.remount("rw");
    assert.deepEqual(await world.ask(one, other), ["right, cached", "right, converted"]);
    assert.deepEqual(await world.ask(one, other), ["right, cached", "right, cached"]);
    assert.deepEqual(await world.kept(), [one.name, other.name]);
    assert.equal(world.hits(other), 2);
  },
);

test(
  "removes a damaged symcache later where the folder is read-only, and never answers from it",
  { skip },
  async () => {
    const module = madeModule("module.so");
    await using world = await startOnTmpfs([module], "size=1m");
    await world.ask(module);
    const path = join(world.folder, "symcache-v1", `${module.key}.symc`);
    await writeFile(path, Buffer.alloc((await stat(path)).size));
    await world.remount("ro");
    for (let time = 0; time < 2; time++) assert.deepEqual(await world.ask(module), ["right, converted"]);
    await world.remount("rw");
    assert.deepEqual(await world.ask(module), ["right, converted"]);
    assert.deepEqual(await world.ask(module), ["right, cached"]);
    assert.deepEqual(await readdir(join(world.folder, "symcache-v1")), [module.name]);
  },
);

test(
  "gives up on a full disk what nobody used for an hour, as much as a new symcache needs, and nothing else",
  { skip },
  async () => {
    const modules = Array.from({ length: 8 }, (_, number) => madeModule(`module${number}.so`, 300));
    const [old, older, recent, ...fresh] = modules as [MadeModule, MadeModule, MadeModule, ...MadeModule[]];
    await using world = await startOnTmpfs(modules, "size=400k", { "diskCache.rescanIntervalMs": "50" });
    for (const [module, hours] of [
      [old, 2],
      [older, 3],
    ] as const) {
      // prettier-ignore
      const path = join(world.folder, "symcache-v1", `${module.key}.symc`);
      await mkdir(dirname(path));
      await writeFile(path, symcacheOf(module));
      await utimes(path, Date.now() / 1000 - hours * 3600, Date.now() / 1000 - hours * 3600);
    }
    assert.deepEqual(await world.ask(recent), ["right, converted"]);
    await setTimeout(500);
    const filler = join(world.folder, "filler");
    await writeFile(filler, Buffer.alloc(400 * 1024)).catch(() => {});

    const expected = [[old, recent, fresh[0]!], [recent, fresh[0]!, fresh[1]!]]; // prettier-ignore
    for (const [number, left] of expected.entries()) {
      assert.deepEqual(await world.ask(fresh[number]!, recent), ["right, converted", "right, cached"]);
      assert.deepEqual(await world.kept(), left.map(({ name }) => name)); // prettier-ignore
    }
    assert.deepEqual(await world.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await world.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await world.kept(), expected[1]!.map(({ name }) => name)); // prettier-ignore
    await rm(filler);
    assert.deepEqual(await world.ask(fresh[2]!), ["right, converted"]);
    assert.deepEqual(await world.ask(fresh[2]!, recent), ["right, cached", "right, cached"]);
  },
);

test(
  "answers where the disk takes what is written and has no room when that is flushed, and keeps it once it has",
  { skip: skipThin },
  async () => {
    const modules = [1, 2, 3].map((number) => madeModule(`module${number}.so`, 20_000));
    // Large enough to be answered from while it is flushed.
    const large = madeModule("large.so", 320_000);
    await using world = await startOnDisk([...modules, large], thinDisk);
    const outcomes = [];
    for (const module of modules) outcomes.push(...(await world.ask(module)));
    assert.deepEqual(outcomes, modules.map(() => "right, converted")); // prettier-ignore
    const first = await world.kept();
    assert.ok(first.length > 0 && first.length < modules.length, String(first));
    for (let time = 0; time < 3; time++) assert.match((await world.ask(large))[0] ?? "", /^right, converted/);
    while (!isDeepStrictEqual(await world.kept(), first)) await setTimeout(20);
    await world.remount("size=100m", "/mnt");
    await world.ask(...modules, large);
    while ((await world.kept()).length < modules.length + 1) await setTimeout(50);
    assert.deepEqual(await world.ask(...modules, large), [...modules, large].map(() => "right, cached")); // prettier-ignore
  },
);

test("answers while another disk is mounted over the folder and taken away", { skip }, async () => {
  const modules = ["one.so", "other.so"].map((name) => madeModule(name));
  await using world = await startOnTmpfs(modules, "size=1m", { "diskCache.rescanIntervalMs": "50" });
  await world.ask(modules[0]!);
  await world.mountOver();
  assert.deepEqual(await world.ask(...modules), ["right, converted", "right, converted"]);
  assert.deepEqual(await world.ask(...modules), ["right, cached", "right, cached"]);
  await world.unmount();
  assert.deepEqual(await world.ask(...modules), ["right, cached", "right, converted"]);
  assert.deepEqual(await world.ask(...modules), ["right, cached", "right, cached"]);
  assert.deepEqual(await world.kept(), ["one.so", "other.so"]);
});

test(
  "answers while the disk hangs for all who write, and keeps what it makes once it doesn't",
  { skip: skipThin },
  async () => {
    const modules = Array.from({ length: 4 }, (_, number) => madeModule(`module${number}.so`));
    const [settled, ...others] = modules as [MadeModule, ...MadeModule[]];
    await using world = await startOnDisk(modules, otherDisk);
    await world.ask(settled);
    {
      await using frozen = await world.freeze();
      assert.ok(frozen);
      const answers = Promise.all(others.map((module) => world.ask(module)));
      assert.deepEqual(await world.ask(settled), ["right, cached"]);
      assert.equal(await world.heartbeat(), "503, error");
      assert.deepEqual((await answers).flat(), others.map(() => "right, converted")); // prettier-ignore
      assert.deepEqual(await world.ask(settled), ["right, cached"]);
    }
    for (const module of others) assert.match((await world.ask(module))[0] ?? "", /^right/);
    assert.deepEqual(await world.ask(...modules), modules.map(() => "right, cached")); // prettier-ignore
    assert.deepEqual(await world.kept(), modules.map(({ name }) => name)); // prettier-ignore
  },
);
