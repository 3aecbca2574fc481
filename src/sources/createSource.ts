import type { SourceSettings } from "../config/sources.ts";
import { FolderSource } from "./folderSource.ts";
import { HttpSource } from "./httpSource.ts";
import type { Source } from "./source.ts";

/** The source at a configured address: `https://…`, `http://…` or `file:///…`. */
export function createSource(address: string, settings: SourceSettings): Source {
  return address.startsWith("file:") ? new FolderSource(address) : new HttpSource(address, settings);
}
