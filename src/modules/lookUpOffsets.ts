import type { CachedSymcache, DiskCache } from "../diskCache/diskCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Locations, LookupUsage } from "../symcache/lookup/locations.ts";
import type { LookupPool } from "../symcache/lookup/lookupPool.ts";
import type { SymcacheBytes } from "../symcache/symcacheFile.ts";
import { ThreadEnded } from "../threads/thread.ts";
import { failed, type Failure } from "./outcome.ts";
import type { ReadableSymcache } from "./storeSymcache.ts";

export interface Query {
  module: ModuleId;
  offsets: Uint32Array<ArrayBuffer>;
  usage: LookupUsage;
}

/** The source locations of all offsets of a query, in the slices that slicesOf() makes. */
export interface Found {
  /** Where the symcache came from: a cache or a sym file. */
  status: "cached" | "converted";
  /** The module's name in responses: `xul.dll` for `xul.pdb`. */
  moduleName: string;
  locations: Locations[];
}

interface Deps {
  diskCache: DiskCache;
  lookups: LookupPool;
  log: Logger;
}

/** Looks up offsets in a symcache of the disk cache. Undefined if it is unusable. Throws a ResultTooLarge. */
export async function lookUpInFile(
  query: Query,
  file: CachedSymcache,
  status: Found["status"],
  deps: Deps,
): Promise<Found | Failure | undefined> {
  const result = await lookUpOffsets(query, { symcache: file.path, status }, deps);
  if (typeof result === "object") return result;
  // An unreadable file may be intact, and readable later.
  if (result !== "unreadable") await deps.diskCache.remove(query.module.key, file);
  return undefined;
}

/** Looks up offsets in a symcache that was not in the disk cache before. Undefined if it is unusable. Throws a ResultTooLarge. */
export async function lookUpFetched(
  query: Query,
  fetched: ReadableSymcache & Pick<Found, "status">,
  deps: Deps,
): Promise<Found | Failure | undefined> {
  const result = await lookUpOffsets(query, fetched, deps);
  if (typeof result === "object") return result;
  // The temporary file may have been renamed into the disk cache just before it was opened.
  const file = await fetched.flushed;
  return file && lookUpInFile(query, file, fetched.status, deps);
}

async function lookUpOffsets(
  { module, offsets, usage }: Query,
  { symcache, status }: { symcache: SymcacheBytes; status: Found["status"] },
  { lookups, log }: Deps,
): Promise<Found | Failure | "missing" | "damaged" | "unreadable"> {
  let lookup;
  try {
    lookup = await lookups.lookUp(module, symcache, offsets, usage);
  } catch (error) {
    if (!(error instanceof ThreadEnded)) throw error;
    log.error({ err: error, module: module.key }, "lookup failed");
    return failed(error.message);
  }
  if (lookup.kind === "found") return { status, moduleName: lookup.moduleName, locations: lookup.locations };
  if (lookup.kind === "refused")
    return { status: "overloaded", reason: "the memory for lookup results is used up", ttlMs: 0 };
  if (lookup.kind === "missing") return lookup.kind;
  if (lookup.kind === "out_of_handles") {
    log.error({ module: module.key, reason: lookup.message }, "symcache can't be opened");
    return failed(lookup.message);
  }
  log.warn({ module: module.key, reason: lookup.message }, `symcache is ${lookup.kind}`);
  return lookup.kind;
}
