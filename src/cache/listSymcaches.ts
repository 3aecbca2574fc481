import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ifAbsent } from "./durableFiles.ts";

export const suffix = ".symc";
const namePattern = /^[0-9A-F]{1,64}\.symc$/;
/** Folders that are read at the same time. */
const sideBySide = 64;

/** The symcache files in `<folder>/<debug filename>/`, by key; links, folders and foreign files are none. */
export async function listSymcaches(folder: string): Promise<Map<string, { bytes: number; used: number }>> {
  const found = new Map<string, { bytes: number; used: number }>();
  const debugFilenames = (await readdir(folder).catch(ifAbsent)) ?? [];
  let next = 0;
  const read = async () => {
    for (let name; (name = debugFilenames[next++]) !== undefined;) await readFolder(name);
  };
  const readFolder = async (debugFilename: string) => {
    for (const name of (await readdir(join(folder, debugFilename)).catch(ifAbsent)) ?? []) {
      if (!namePattern.test(name)) continue;
      const file = await lstat(join(folder, debugFilename, name)).catch(ifAbsent);
      if (!file?.isFile()) continue;
      found.set(`${debugFilename}/${name.slice(0, -suffix.length)}`, {
        bytes: file.size,
        used: file.mtimeMs,
      });
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, read));
  return found;
}
