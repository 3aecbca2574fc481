import { lstat, open, rename, rm, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "./makeFolders.ts";

/**
 * Renames a file over whatever has the name, or is where its folder must be, and flushes the folder so that the new name
 * survives a power cut.
 */
export async function renameInto(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  for (let attempt = 0; ; attempt++) {
    try {
      await makeFolder(folder);
      await rename(from, to);
      break;
    } catch (error) {
      if (attempt === 3) throw error;
      if (codeOf(error) === "EISDIR") await rm(to, { recursive: true, force: true });
      // An eviction may remove the emptied folder between the two calls.
      else if (!isAbsence(error)) throw error;
    }
  }
  // By now another process may have evicted it already.
  await flush(folder).catch(ifAbsent);
}

/** A folder of that name, and not a file or a link to a folder elsewhere. */
async function makeFolder(path: string): Promise<void> {
  const before = await lstat(path).catch(ifAbsent);
  if (before && !before.isDirectory()) await rm(path, { force: true });
  await makeFolders(path);
}

/** What was written to a file, or to a folder, survives a power cut from now on. */
export async function flush(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}

/** Removes a file, and its folder where that is empty now. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ifAbsent);
  await rmdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST" && !isAbsence(error)) throw error;
  });
}

/** Gives undefined for a file or folder that isn't there; throws any other error. */
export function ifAbsent(error: unknown): undefined {
  if (!isAbsence(error)) throw error;
}

/** Whether there is no such file or folder. */
export function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
