import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ifAbsent } from "./durableFiles.ts";

/** Milliseconds after which a folder of another host, where no process can be asked for, counts as left behind. */
const abandonedAfter = 600_000;

/**
 * Removes from `folder` the `<host>-<pid>-<random>` folders whose process has died, with the half-written files in them.
 * `own`: that of this process, where it has one already.
 */
export async function sweepTemporaryFolders(folder: string, own?: string): Promise<void> {
  for (const name of (await readdir(folder).catch(ifAbsent)) ?? [])
    if (await isAbandoned(folder, name, own)) await rm(join(folder, name), { recursive: true, force: true });
}

async function isAbandoned(folder: string, name: string, own: string | undefined): Promise<boolean> {
  if (name === own) return false;
  const [, host, pid] = /^(.*)-([0-9]+)-[0-9a-f]+$/.exec(name) ?? [];
  // A container's first process has the same number after each restart: at the start, our own is a dead process's, too.
  if (host === hostname()) return !isAlive(Number(pid)) || (own === undefined && Number(pid) === process.pid);
  const left = await lstat(join(folder, name)).catch(ifAbsent);
  return left !== undefined && Date.now() - left.mtimeMs > abandonedAfter;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
