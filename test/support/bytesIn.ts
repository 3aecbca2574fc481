import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of all files in the folders of a folder, though others remove some meanwhile; 0 where it is absent. */
export async function bytesIn(folder: string): Promise<number> {
  const folders = await readdir(folder).catch(() => []);
  const entries = await Promise.all(
    folders.map((name) => readdir(join(folder, name), { withFileTypes: true }).catch(() => [])),
  );
  const sizes = entries.flat().map((entry) =>
    stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
