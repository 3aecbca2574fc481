/** A disk that is full or read-only: a small tmpfs that only the service sees. It needs root, for a mount namespace. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { madeModule, symcacheOf, type MadeModule } from "./madeModule.ts";
import { ask, impatient, kept, startWorld } from "./world.ts";

const run = promisify(execFile);
const canMount =
  spawnSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs none /mnt"], { stdio: "ignore" }).status === 0;
const skip = canMount ? false : "mounting a tmpfs in a namespace of its own needs root";

/** A world whose folder is a tmpfs with these mount options, and ways to what only its service sees. */
async function startOnTmpfs(modules: MadeModule[], options: string, env: Record<string, string> = {}) {
  const mount = (folder: string) => `mount -t tmpfs -o ${options} none ${folder}`;
  const world = await startWorld(modules, { ...impatient, ...env }, (folder) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `${mount(folder)} && exec ${process.execPath} src/main.ts`,
  ]);
  const folder = `/proc/${world.service.pid}/root${world.folder}`;
  return {
    folder,
    ask: (...asked: MadeModule[]) => ask(world.service.url, ...asked),
    hits: world.hits,
    kept: async () => (await kept(folder, modules)).filter((name) => name !== "filler"),
    remount: (how: string) =>
      run("nsenter", [
        `--mount=/proc/${world.service.pid}/ns/mnt`,
        "mount",
        "-o",
        `remount,${how}`,
        world.folder,
      ]),
    async heartbeat() {
      const response = await fetch(`${world.service.url}/__heartbeat__`);
      const { checks } = (await response.json()) as { checks: Record<string, string> };
      return `${response.status}, ${checks["cache_folder"]}`;
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

test("answers where no file and no folder can be made any more", { skip }, async () => {
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
