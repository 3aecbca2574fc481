import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import type { CachedSymcache, DiskCache } from "../diskCache/diskCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { SharedCacheFault } from "../sharedCache/sharedCacheFault.ts";
import type { SymcacheBytes } from "../symcache/symcacheFile.ts";
import { ThreadEnded, ThreadHung } from "../threads/thread.ts";
import type { Cost } from "./cost.ts";

/** A symcache that is there, and of a size that is known, but not in the folder yet. */
export interface NewSymcache {
  readonly bytes: number;
  /** Writes it to a new file. */
  write(path: string): Promise<void>;
  /** A copy of it. */
  take(): Promise<SharedArrayBuffer>;
}

/** A symcache that can be read. */
export interface Kept {
  symcache: SymcacheBytes;
  /** Where it is once it is in the folder; undefined where it couldn't be kept. */
  kept: Promise<CachedSymcache | undefined>;
}

export interface KeepParts {
  folder: DiskCache;
  metrics: Metrics;
  log: Logger;
}

/** Bytes of a symcache that takes so long to flush that nobody should wait for it. */
const slowToFlush = 16e6;
/** Milliseconds to wait for the flush of a smaller one. */
const longestFlush = 2000;

/**
 * Puts a symcache into the folder under `key`, or takes its bytes where `keep` is false or the folder can't have it. Throws a
 * ThreadEnded, a SharedCacheFault, or an error that says that the disk takes nothing.
 */
export async function keepSymcache(
  made: NewSymcache,
  { module: { key }, keep, cost }: { module: ModuleId; keep: boolean; cost: Cost },
  { folder, metrics, log }: KeepParts,
): Promise<Kept> {
  const start = performance.now();
  const noted = (found: CachedSymcache) => {
    metrics.histogram("diskcache.set", performance.now() - start, { result: "success" });
    return found;
  };
  const failed = (err: unknown) => {
    metrics.histogram("diskcache.set", performance.now() - start, { result: "fail" });
    log.error({ err, module: key }, "symcache can't be written");
    return undefined;
  };
  if (keep) {
    try {
      const written = await folder.put(key, made.bytes, (file) => made.write(file));
      if (!written) {
        log.warn({ module: key, bytes: made.bytes }, "symcache is larger than the cache folder may be");
      } else {
        const kept = written.kept.then(noted, failed);
        const readable =
          made.bytes < slowToFlush
            ? await Promise.race([kept, setTimeout(longestFlush, written, { ref: false })])
            : written;
        cost.saving = performance.now() - start;
        if (readable) return { symcache: readable.path, kept };
      }
    } catch (error) {
      // The bytes went with the thread. It is no fault of the sym file.
      if (error instanceof ThreadHung) throw new Error("the disk takes no symcache", { cause: error });
      if (error instanceof ThreadEnded || error instanceof SharedCacheFault) throw error;
      failed(error);
    }
  }
  return { symcache: await made.take(), kept: Promise.resolve(undefined) };
}
