import type { SharedCache } from "../sharedCache/sharedCache.ts";
import { SharedCacheFault } from "../sharedCache/sharedCacheFault.ts";
import { keepSymcache, type Kept, type KeepParts } from "./keepSymcache.ts";
import type { Order } from "./makeSymcache.ts";

/**
 * Gets a symcache from the shared cache into the folder; undefined where it isn't there, or can't be had. Nor is it asked for
 * what isn't to be kept: that was in the folder a moment ago, and could not be read there.
 */
export async function fetchSymcache(
  order: Order,
  sharedCache: SharedCache,
  parts: KeepParts,
): Promise<Kept | undefined> {
  if (!order.keep) return undefined;
  await using stored = await sharedCache.find(order.module);
  if (!stored) return undefined;
  try {
    return await keepSymcache(stored, order, parts);
  } catch (error) {
    if (error instanceof SharedCacheFault) return undefined;
    throw error;
  }
}
