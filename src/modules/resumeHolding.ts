import type { DiskCache } from "../diskCache/diskCache.ts";
import { moduleIdOfKey } from "../identity/moduleId.ts";
import type { Lookups } from "../symcache/lookup/lookupPool.ts";

/**
 * Reads into memory again what was in use when the service was last ended, as far as there is room: the first
 * request after a restart would take several times as long as those before it.
 */
export async function resumeHolding(folder: DiskCache, lookups: Lookups): Promise<void> {
  await folder.settled();
  const resuming = folder
    .byLastUse()
    .map(({ key, path, bytes }) => lookups.resumeHolding(moduleIdOfKey(key), path, bytes));
  await Promise.all(resuming);
}
