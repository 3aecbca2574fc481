import { lstatSync, readdirSync } from "node:fs";
import { isAbsence } from "./durableFiles.ts";

export const suffix = ".symc";
const namePattern = /^[0-9A-F]{1,64}\.symc$/;

/** The symcache files of a folder, as columns; those used longest ago come first. */
export interface Stock {
  /** `<debug filename>/<DEBUG ID>` */
  keys: string[];
  bytes: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  used: Float64Array<ArrayBuffer>;
  /** What the disk said first, where something can't be read: what is in there is not in the stock. */
  fault: string | undefined;
}

interface File {
  key: string;
  bytes: number;
  used: number;
}

/** What the thread that lists the folder is asked. */
export interface ListProtocol {
  list(folder: string): Stock;
}

/** The symcache files in `<folder>/<debug filename>/`; links, folders and foreign files are none. */
export function listSymcaches(folder: string): Stock {
  const files: File[] = [];
  let fault: string | undefined;
  const ifReadable = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!isAbsence(error)) fault ??= String(error);
      return undefined;
    }
  };
  for (const { name: debugFilename } of ifReadable(() => foldersIn(folder)) ?? [])
    for (const name of ifReadable(() => readdirSync(`${folder}/${debugFilename}`)) ?? []) {
      if (!namePattern.test(name)) continue;
      const file = ifReadable(() => lstatSync(`${folder}/${debugFilename}/${name}`));
      if (!file?.isFile()) continue;
      const key = `${debugFilename}/${name.slice(0, -suffix.length)}`;
      files.push({ key, bytes: file.size, used: file.mtimeMs });
    }
  return stockOf(files, fault);
}

/** The files as a stock. */
export function stockOf(files: File[], fault?: string): Stock {
  files.sort((one, other) => one.used - other.used);
  return {
    keys: files.map(({ key }) => key),
    bytes: Float64Array.from(files, ({ bytes }) => bytes),
    used: Float64Array.from(files, ({ used }) => used),
    fault,
  };
}

function foldersIn(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
}
