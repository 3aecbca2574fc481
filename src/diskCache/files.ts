import { lstat, mkdir, open, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Creates a folder and its missing parents. Node's `recursive` option loops forever below a folder that accepts no entries,
 * such as one that was deleted while mounted, or /proc.
 */
export async function makeFolders(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    const parent = dirname(path);
    if (codeOf(error) !== "ENOENT" || parent === path) throw error;
    await makeFolders(parent);
    await makeFolder(path);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
  }
}

/**
 * Renames a file, replacing whatever has the new name or is in the place of its folder. Flushes the folder, so that the new
 * name survives a power failure.
 */
export async function renameInto(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  for (let attempt = 0; ; attempt++) {
    try {
      // A symbolic link to a folder elsewhere is replaced as well.
      const existing = await lstat(folder).catch(ifAbsent);
      if (existing && !existing.isDirectory()) await rm(folder, { force: true });
      await makeFolders(folder);
      await rename(from, to);
      break;
    } catch (error) {
      if (attempt === 3) throw error;
      if (codeOf(error) === "EISDIR") await rm(to, { recursive: true, force: true });
      // An eviction may remove the empty folder between the two calls.
      else if (!isAbsence(error)) throw error;
    }
  }
  // Another process may have evicted the file, and its folder, already.
  await flush(folder).catch(ifAbsent);
}

/** Makes the contents of a file, or of a folder, survive a power failure. */
export async function flush(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}

/** Removes a file, and its folder if that is empty then. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ifAbsent);
  await rmdir(dirname(path)).catch((error: unknown) => {
    const code = codeOf(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && !isAbsence(error)) throw error;
  });
}

/** For catch(): undefined if a file or folder doesn't exist; rethrows any other error. */
export function ifAbsent(error: unknown): undefined {
  if (!isAbsence(error)) throw error;
}

/** Whether the error says that a file or folder doesn't exist. */
export function isAbsence(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
