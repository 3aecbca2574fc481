import type { SourceSettings } from "../config/sources.ts";
import { FolderSource } from "./folderSource.ts";
import { HttpSource } from "./httpSource.ts";
import type { Source } from "./source.ts";
import { SymFileSource } from "./symFileSource.ts";
import { ZipSource } from "./zipSource.ts";

/** The source at a configured address: `https://…`, `http://…`, or `file:///…` of a folder, a sym file or a zip file. */
export function createSource(address: string, settings: SourceSettings): Source {
  if (!address.startsWith("file:")) return new HttpSource(address, settings);
  if (/\.zip$/i.test(address)) return new ZipSource(address);
  if (/\.sym(\.gz)?$/i.test(address)) return new SymFileSource(address);
  return new FolderSource(address);
}
