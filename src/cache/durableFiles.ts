import { mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Renames, and flushes the folder so that the new name survives a power cut. */
export async function renameInto(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  for (let attempt = 0; ; attempt++) {
    await mkdir(folder, { recursive: true });
    try {
      await rename(from, to);
      break;
    } catch (error) {
      // An eviction may remove the emptied folder between the two calls.
      if (attempt === 3 || !isAbsence(error)) throw error;
    }
  }
  // By now another process may have evicted it already.
  await flush(folder).catch(ifAbsent);
}

/** What was written to a file, or to a folder, survives a power cut from now on. */
export async function flush(path: string): Promise<void> {
  await using handle = await open(path);
  await handle.sync();
}

/** Removes a file, and its folder where that is empty now. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  await rmdir(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST" && !isAbsence(error)) throw error;
  });
}

/** Gives undefined for a file or folder that isn't there; throws any other error. */
export function ifAbsent(error: unknown): undefined {
  if (!isAbsence(error)) throw error;
}

function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
