import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Milliseconds after which a folder of another host, where no process can be asked for, counts as left behind. */
const abandonedAfter = 600_000;

/** Removes from `folder` the `<host>-<pid>-<random>` folders whose process has died, with the half-written files in them. */
export async function sweepTemporaryFolders(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  for (const name of names)
    if (await isAbandoned(folder, name)) await rm(join(folder, name), { recursive: true, force: true });
}

async function isAbandoned(folder: string, name: string): Promise<boolean> {
  const [, host, pid] = /^(.*)-([0-9]+)-[0-9a-f]+$/.exec(name) ?? [];
  // A container's first process has the same number after each restart: our own number is a dead process's, too.
  if (host === hostname()) return Number(pid) === process.pid || !isAlive(Number(pid));
  const { mtimeMs } = await lstat(join(folder, name));
  return Date.now() - mtimeMs > abandonedAfter;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
