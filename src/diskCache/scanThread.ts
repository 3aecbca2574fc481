/** Thread entry: lists the cache folder. 100,000 files take most of a second. */
import { lstatSync, readdirSync } from "node:fs";
import { replyToAsks } from "../threads/replyToAsks.ts";
import { fileSuffix, type Listing } from "./cacheIndex.ts";
import { isAbsence } from "./files.ts";

export interface ScanProtocol {
  scan(folder: string): Listing;
}

const namePattern = /^[0-9A-F]{1,64}\.symc$/;

replyToAsks<ScanProtocol>({
  scan(folder) {
    const listing = list(folder);
    return [listing, [listing.bytes.buffer, listing.used.buffer]];
  },
});

/** Lists `<folder>/<debug filename>/<DEBUG ID>.symc`. Symbolic links and other files are ignored. */
function list(folder: string): Listing {
  const files: { key: string; bytes: number; used: number }[] = [];
  let firstError: string | undefined;
  const ifReadable = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!isAbsence(error)) firstError ??= String(error);
      return undefined;
    }
  };
  for (const parent of ifReadable(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    if (!parent.isDirectory()) continue;
    for (const name of ifReadable(() => readdirSync(`${folder}/${parent.name}`)) ?? []) {
      if (!namePattern.test(name)) continue;
      const file = ifReadable(() => lstatSync(`${folder}/${parent.name}/${name}`));
      if (!file?.isFile()) continue;
      const key = `${parent.name}/${name.slice(0, -fileSuffix.length)}`;
      files.push({ key, bytes: file.size, used: file.mtimeMs });
    }
  }
  files.sort((a, b) => a.used - b.used);
  return {
    keys: files.map(({ key }) => key),
    bytes: Float64Array.from(files, ({ bytes }) => bytes),
    used: Float64Array.from(files, ({ used }) => used),
    error: firstError,
  };
}
