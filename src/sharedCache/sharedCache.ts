import { LRUCache } from "lru-cache";
import { Deadline } from "../async/deadline.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { ConversionSettings } from "../config/conversion.ts";
import type { DiskCacheSettings } from "../config/diskCache.ts";
import type { SharedCacheSettings } from "../config/sharedCache.ts";
import type { CachedSymcache, DiskCache } from "../diskCache/diskCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ObjectStore } from "./objectStore.ts";
import { PackThreads } from "./packThreads.ts";
import { PackedDownload } from "./packedDownload.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";
import { StoreHealth } from "./storeHealth.ts";
import { Uploads } from "./uploads.ts";

/** Increment when the format of a symcache file, or of its packing, changes. */
const version = "v1";
const suffix = ".symc.zst";
/** Keys of unusable objects that are remembered. */
const maxBadKeys = 10_000;
/**
 * A large symcache uses all cores and the whole network. More than two at a time would only use more memory and all finish
 * late, after the deadline.
 */
const largeBytes = 16e6;
const maxLargeDownloads = 2;

interface Deps {
  wasm: WebAssembly.Module;
  folder: DiskCache;
  metrics: Metrics;
  log: Logger;
  config: SharedCacheSettings &
    Pick<DiskCacheSettings, "maxBytes"> &
    Pick<ConversionSettings, "stepTimeoutMs">;
}

/** A symcache in the store. It holds a connection until it is disposed of. */
export interface StoredSymcache extends AsyncDisposable {
  readonly bytes: number;
  /** Writes it to a new file. Throws a SharedCacheFault or the disk's error. */
  write(path: string): Promise<void>;
}

/**
 * Packed symcaches in an object store that instances share.
 *
 *     s3://bucket/prefix/v1/libxul.so/1410FAF03AD925211450AE25E0CB9AE50.symc.zst
 *
 * A store that fails or is slow counts as a miss, so the shared cache never fails a request.
 */
export class SharedCache implements AsyncDisposable {
  readonly #deps: Deps;
  readonly #store: ObjectStore;
  readonly #threads: PackThreads;
  readonly #uploads: Uploads;
  readonly #health: StoreHealth;
  readonly #badKeys = new LRUCache<string, true>({ max: maxBadKeys });
  readonly #largeDownloads = new Semaphore(maxLargeDownloads);
  readonly #abort = new AbortController();

  /** Loads the AWS packages, which the service doesn't need without a store. */
  static async open(deps: Deps): Promise<SharedCache> {
    const { ObjectStore } = await import("./objectStore.ts");
    return new SharedCache(deps, new ObjectStore(deps.config));
  }

  private constructor(deps: Deps, store: ObjectStore) {
    const { breakerCooldownMs, stepTimeoutMs } = deps.config;
    this.#deps = deps;
    this.#store = store;
    this.#threads = new PackThreads(deps.wasm, stepTimeoutMs);
    this.#health = new StoreHealth("read", breakerCooldownMs, deps.log);
    this.#uploads = new Uploads({ ...deps, store, threads: this.#threads, breakerCooldownMs });
  }

  /** The latest failure of the store, if it has not worked since. */
  get fault(): string | undefined {
    const fault = this.#health.fault ?? this.#uploads.health.fault;
    return fault === undefined ? undefined : `${this.#store.address}: ${fault}`;
  }

  /** Undefined on a miss or if the store fails. */
  async find(module: ModuleId): Promise<StoredSymcache | undefined> {
    const { key } = module;
    const { metrics, config } = this.#deps;
    if (!this.#tryBegin()) return undefined;
    const start = performance.now();
    let bytes = 0;
    const ended = (result: "hit" | "miss", error?: unknown) => {
      deadline.pause();
      this.#ended(key, error);
      metrics.increment("sharedcache.bytes", { direction: "received" }, bytes);
      metrics.histogram("sharedcache.get", performance.now() - start, { result: resultOf(error) ?? result });
    };
    const deadline = new Deadline(config.getTimeoutMs);
    deadline.resume();
    const signal = AbortSignal.any([this.#abort.signal, deadline.signal]);
    const received = (more: number) => void (bytes += more);
    const deps = { store: this.#store, threads: this.#threads, received, signal };
    try {
      const download = await PackedDownload.begin(objectKey(key), config.maxBytes, deps);
      if (!download) {
        ended("miss");
        return undefined;
      }
      this.#health.responded();
      const write = (path: string) => download.write(path, module);
      const isLarge = download.symcacheBytes > largeBytes;
      const limitedWrite = isLarge ? (path: string) => this.#limit(deadline, () => write(path)) : write;
      return storedSymcache(download, limitedWrite, (error) => ended("hit", error));
    } catch (error) {
      ended("miss", error);
      if (error instanceof SharedCacheFault) return undefined;
      throw error;
    }
  }

  /** Uploads a symcache in the background, once it is in the disk cache. */
  add(key: string, kept: Promise<CachedSymcache | undefined>): void {
    void kept.then(
      (cached) => cached && this.#uploads.add(objectKey(key), cached, this.#badKeys.delete(key)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#uploads.finish();
    await this.#threads[Symbol.asyncDispose]();
    await this.#uploads[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  /** Waits for other large downloads, without counting that against the deadline. */
  async #limit(deadline: Deadline, write: () => Promise<void>): Promise<void> {
    deadline.pause();
    await this.#largeDownloads.run(async () => {
      deadline.resume();
      // The downloads before may have failed.
      if (this.#health.isOpen) throw new SharedCacheFault(this.#health.fault ?? "the store failed meanwhile");
      await write();
    });
  }

  #tryBegin(): boolean {
    const { metrics } = this.#deps;
    const mayBegin = this.#health.tryBegin();
    if (!mayBegin) metrics.histogram("sharedcache.get", 0, { result: "skipped" });
    metrics.gauge("sharedcache.left_alone", mayBegin ? 0 : 1);
    return mayBegin;
  }

  #ended(key: string, error: unknown): void {
    this.#health.ended(error);
    if (!(error instanceof SharedCacheFault) || !error.isBadObject) return;
    this.#deps.log.warn({ err: error, module: key }, "shared cache has an unusable symcache");
    this.#badKeys.set(key, true);
  }
}

function objectKey(key: string): string {
  return `${version}/${key}${suffix}`;
}

/** Calls `ended` exactly once. */
function storedSymcache(
  download: PackedDownload,
  write: (path: string) => Promise<void>,
  ended: (error?: unknown) => void,
): StoredSymcache {
  let hasEnded = false;
  const end = (error?: unknown) => {
    if (!hasEnded) ended(error);
    hasEnded = true;
  };
  return {
    bytes: download.symcacheBytes,
    async write(path) {
      try {
        await write(path);
        end();
      } catch (error) {
        end(error);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      end(new Error("the symcache was not written"));
      await download[Symbol.asyncDispose]();
    },
  };
}

function resultOf(error: unknown): "bad" | "fail" | undefined {
  if (error === undefined) return undefined;
  return error instanceof SharedCacheFault && error.isBadObject ? "bad" : "fail";
}
