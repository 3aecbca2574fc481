import type { DiskCache } from "../diskCache/diskCache.ts";
import { moduleIdOfKey } from "../identity/moduleId.ts";
import type { LookupPool } from "../symcache/lookup/lookupPool.ts";

/** Reads the most recently used symcaches into memory, so that the first requests after a restart are as fast as later ones. */
export async function readAhead(diskCache: DiskCache, lookups: LookupPool): Promise<void> {
  await diskCache.settled();
  const symcaches = diskCache
    .byLastUse()
    .map(({ key, path, bytes }) => ({ module: moduleIdOfKey(key), path, bytes }));
  await lookups.readAhead(symcaches);
}
