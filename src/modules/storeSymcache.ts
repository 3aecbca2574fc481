import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { CachedSymcache, DiskCache } from "../diskCache/diskCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { SharedCacheFault } from "../sharedCache/sharedCacheFault.ts";
import type { SymcacheBytes } from "../symcache/symcacheFile.ts";
import { ThreadEnded, ThreadHung } from "../threads/thread.ts";

/** A symcache that can be read. */
export interface ReadableSymcache {
  symcache: SymcacheBytes;
  /** Resolves when the disk cache has flushed it; to undefined if that failed or the symcache is only in memory. */
  flushed: Promise<CachedSymcache | undefined>;
  /** Until it could be read from the disk cache. */
  saveMs: number;
}

/** Larger symcaches are read before they are flushed: that takes long, and their temporary file is complete. */
const maxBytesToAwait = 16e6;

/**
 * Writes a symcache of a known size to the disk cache. Undefined if the disk cache can't store it. Throws a ThreadEnded or a
 * SharedCacheFault.
 */
export async function storeSymcache(
  { key }: ModuleId,
  { bytes, write }: { bytes: number; write: (path: string) => Promise<void> },
  { diskCache, metrics, log }: { diskCache: DiskCache; metrics: Metrics; log: Logger },
): Promise<ReadableSymcache | undefined> {
  const start = performance.now();
  const record = (result: "success" | "fail") =>
    metrics.histogram("diskcache.set", performance.now() - start, { result });
  const failed = (err: unknown) => {
    record("fail");
    log.error({ err, module: key }, "symcache can't be written to the disk cache");
    return undefined;
  };
  try {
    const written = await diskCache.put(key, bytes, write);
    if (!written) {
      log.warn(
        { module: key, bytes },
        "symcache is larger than the disk cache (ELIOT_SYMBOLS_CACHE_MAX_SIZE)",
      );
      return undefined;
    }
    const flushed = written.kept.then((found) => {
      record("success");
      return found;
    }, failed);
    const isAwaited = bytes < maxBytesToAwait;
    const readable = isAwaited
      ? await Promise.race([flushed, setTimeout(retryPolicy.flushTimeoutMs, written, { ref: false })])
      : written;
    return readable && { symcache: readable.path, flushed, saveMs: performance.now() - start };
  } catch (error) {
    // The thread that hung had the symcache, and is ended with it. The disk is to blame, not the sym file.
    if (error instanceof ThreadHung)
      throw new Error("the disk does not accept the symcache", { cause: error });
    if (error instanceof ThreadEnded || error instanceof SharedCacheFault) throw error;
    return failed(error);
  }
}
