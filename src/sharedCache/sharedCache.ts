import { LRUCache } from "lru-cache";
import { CircuitBreaker } from "../async/circuitBreaker.ts";
import { Deadline } from "../async/deadline.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { Config } from "../config/readConfig.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { SharedCacheSettings } from "../config/sharedCache.ts";
import type { CachedSymcache, DiskCache } from "../diskCache/diskCache.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ObjectStore } from "./objectStore.ts";
import { PackThreads } from "./packThreads.ts";
import { downloadPacked, type WritableSymcache } from "./packedDownload.ts";
import { BadObject, endCall, SharedCacheFault } from "./sharedCacheFault.ts";
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
  settings: SharedCacheSettings;
  config: Pick<Config, "conversion" | "diskCache">;
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
  readonly #reads: CircuitBreaker;
  readonly #writes: CircuitBreaker;
  readonly #badKeys = new LRUCache<string, true>({ max: maxBadKeys });
  readonly #largeDownloads = new Semaphore(maxLargeDownloads);
  readonly #abort = new AbortController();

  /** Loads the AWS packages, which the service doesn't need without a store. */
  static async open(deps: Deps): Promise<SharedCache> {
    const { ObjectStore } = await import("./objectStore.ts");
    return new SharedCache(deps, new ObjectStore(deps.settings));
  }

  private constructor(deps: Deps, store: ObjectStore) {
    this.#deps = deps;
    this.#store = store;
    this.#threads = new PackThreads(deps.wasm, deps.config.conversion.stepTimeoutMs);
    const newBreaker = () =>
      new CircuitBreaker(retryPolicy.store.failuresToOpenCircuit, deps.settings.breakerCooldownMs);
    this.#reads = newBreaker();
    this.#writes = newBreaker();
    this.#uploads = new Uploads({ ...deps, store, threads: this.#threads, breaker: this.#writes });
  }

  /** The latest failure of the store, if it has not worked since. */
  get fault(): string | undefined {
    const fault = this.#reads.fault ?? this.#writes.fault;
    return fault === undefined ? undefined : `${this.#store.address}: ${fault}`;
  }

  /** Passes a module's symcache to `save` and returns its result. Undefined on a miss or if the store fails. */
  async find<Saved>(
    module: ModuleId,
    save: (symcache: WritableSymcache) => Promise<Saved>,
  ): Promise<Saved | undefined> {
    const { key } = module;
    const { metrics, config, settings, log } = this.#deps;
    const mayBegin = this.#reads.tryBegin();
    metrics.gauge("sharedcache.left_alone", mayBegin ? 0 : 1);
    if (!mayBegin) {
      metrics.histogram("sharedcache.get", 0, { result: "skipped" });
      return undefined;
    }
    const start = performance.now();
    let result: "hit" | "miss" | "bad" | "fail" = "miss";
    let fault: unknown;
    let bytesReceived = 0;
    const received = (bytes: number) => void (bytesReceived += bytes);
    using deadline = new Deadline(settings.getTimeoutMs);
    deadline.resume();
    const signal = AbortSignal.any([this.#abort.signal, deadline.signal]);
    const { maxBytes } = config.diskCache;
    const deps = { store: this.#store, threads: this.#threads, maxBytes, received, signal };
    try {
      return await downloadPacked(objectKey(key), module, deps, ({ bytes, write }) => {
        this.#reads.responded();
        result = "fail";
        const writeInTime = async (path: string) => {
          await (bytes > largeBytes ? this.#limit(deadline, () => write(path)) : write(path));
          deadline.pause();
          result = "hit";
        };
        return save({ bytes, write: writeInTime });
      });
    } catch (error) {
      fault = error;
      result = error instanceof BadObject ? "bad" : "fail";
      if (!(error instanceof SharedCacheFault)) throw error;
      if (error instanceof BadObject) {
        log.warn({ err: error, module: key }, "shared cache has an unusable symcache");
        this.#badKeys.set(key, true);
      }
      return undefined;
    } finally {
      endCall(this.#reads, fault, "read", log);
      metrics.increment("sharedcache.bytes", { direction: "received" }, bytesReceived);
      metrics.histogram("sharedcache.get", performance.now() - start, { result });
    }
  }

  /** Uploads a symcache in the background, once it is in the disk cache. */
  add(key: string, kept: Promise<CachedSymcache | undefined>): void {
    const replace = () => this.#badKeys.delete(key);
    void kept.then(
      (cached) => cached && this.#uploads.add({ key: objectKey(key), path: cached.path, replace: replace() }),
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
      if (this.#reads.isOpen) throw new SharedCacheFault(this.#reads.fault ?? "the store failed meanwhile");
      await write();
    });
  }
}

function objectKey(key: string): string {
  return `${version}/${key}${suffix}`;
}
