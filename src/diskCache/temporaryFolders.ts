import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ifAbsent } from "./files.ts";

/** An older folder counts as abandoned even if a process with its id is running. */
const abandonedAfterMs = 600_000;
const namePattern = /^(.+)-([0-9]+)-[0-9a-f]{6}$/;

interface Owner {
  /** This process's own folder, if it has one already. */
  own?: string | undefined;
  prefix?: string;
}

/** A folder name for this process, such as `web1-7-5ad1f0`. Use a `prefix` in a folder shared with other programs. */
export function nameTemporaryFolder(prefix = ""): string {
  return `${prefix}${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

/**
 * Removes from `folder` the temporary folders of dead processes. Folders that aren't named like those are left alone.
 * `failed` is called with each error.
 */
export async function sweepTemporaryFolders(
  folder: string,
  failed: (error: unknown) => void,
  owner: Owner = {},
): Promise<void> {
  for (const name of (await readdir(folder).catch(ifAbsent)) ?? [])
    try {
      if (await isAbandoned(folder, name, owner))
        await rm(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      failed(error);
    }
}

async function isAbandoned(folder: string, name: string, { own, prefix = "" }: Owner): Promise<boolean> {
  if (!name.startsWith(prefix) || name === own) return false;
  const [, host, digits] = namePattern.exec(name.slice(prefix.length)) ?? [];
  if (host === undefined) return false;
  if (host === hostname()) {
    const pid = Number(digits);
    // A container's first process always has the same pid: at the start, a folder with our pid is a dead process's.
    if (!isAlive(pid) || (own === undefined && pid === process.pid)) return true;
  }
  // A process on another host can't be checked, and a pid may be reused after a reboot.
  const stats = await lstat(join(folder, name)).catch(ifAbsent);
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > abandonedAfterMs;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
