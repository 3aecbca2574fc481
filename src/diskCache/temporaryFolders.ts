import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ifAbsent } from "./durableFiles.ts";

/** Milliseconds after which an untouched folder counts as left behind, even if there is a process of that number. */
const abandonedAfter = 600_000;
const namePattern = /^(.+)-([0-9]+)-[0-9a-f]{6}$/;

/** The name of a folder for what this process writes: `web1-7-5ad1f0`, behind a `prefix` where others' folders are beside it. */
export function nameTemporaryFolder(prefix = ""): string {
  return `${prefix}${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
}

/**
 * Removes from `folder` those with `prefix` of processes that have died, with the half-written files in them; what has
 * another name is somebody else's. `own`: that of this process, where it has one already. `failed` learns of what can't be
 * removed.
 */
export async function sweepTemporaryFolders(
  folder: string,
  failed: (error: unknown) => void,
  { own, prefix = "" }: { own?: string | undefined; prefix?: string } = {},
): Promise<void> {
  for (const name of (await readdir(folder).catch(ifAbsent)) ?? [])
    try {
      if (name.startsWith(prefix) && (await isAbandoned(folder, name, { own, prefix })))
        await rm(join(folder, name), { recursive: true, force: true });
    } catch (error) {
      failed(error);
    }
}

async function isAbandoned(
  folder: string,
  name: string,
  { own, prefix }: { own: string | undefined; prefix: string },
): Promise<boolean> {
  const [, host, digits] = namePattern.exec(name.slice(prefix.length)) ?? [];
  if (host === undefined || name === own) return false;
  if (host === hostname()) {
    const pid = Number(digits);
    // A container's first process has the same number after each restart: at the start, our own is a dead process's, too.
    if (!isAlive(pid) || (own === undefined && pid === process.pid)) return true;
  }
  // Another host's process can't be asked for, and a number is given again: after a reboot to some other process.
  const left = await lstat(join(folder, name)).catch(ifAbsent);
  return left !== undefined && Math.abs(Date.now() - left.mtimeMs) > abandonedAfter;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
