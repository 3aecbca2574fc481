import { LRUCache } from "lru-cache";
import type { FoundSymcache, SymcacheFolder } from "../diskCache/diskCache.ts";
import type { Config } from "../config/config.ts";
import { Semaphore } from "../async/semaphore.ts";
import { Deadline } from "../async/deadline.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { ObjectStore, ObjectStoreSettings } from "./objectStore.ts";
import { PackedDownload } from "./packedDownload.ts";
import { PackThreads } from "./packThreads.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";
import { StoreHealth } from "./storeHealth.ts";
import { Uploads } from "./uploads.ts";

/** Bump when a symcache file's bytes, or the way they are packed, change their meaning. */
const version = "v1";
const suffix = ".symc.zst";
/** Objects that are known to be of no use. */
const mostBad = 10_000;
/**
 * Bytes of a symcache that takes all cores to unpack and, in parts that come side by side, all of the network. Of such ones only
 * so many come at once: more would take memory, and all end as late as the last, or too late.
 */
const large = 16e6;
const mostLarge = 2;

interface Parts {
  wasm: WebAssembly.Module;
  folder: SymcacheFolder;
  metrics: Metrics;
  log: Logger;
  config: ObjectStoreSettings &
    Pick<Config, "breakerCooldown" | "cacheMaxBytes" | "conversionTimeout" | "sharedCacheTimeout">;
}

/** A symcache that the store has. It holds a connection until it is disposed of. */
export interface StoredSymcache extends AsyncDisposable {
  readonly bytes: number;
  /** Writes it to a new file. Throws a SharedCacheFault, or what the disk says. */
  write(path: string): Promise<void>;
  /** Throws a SharedCacheFault: where it can't be kept, it is of no use here. */
  take(): Promise<never>;
}

/**
 * Symcaches in an object store that instances share, packed.
 *
 *     s3://bucket/prefix/v1/libxul.so/1410FAF03AD925211450AE25E0CB9AE50.symc.zst
 *
 * It is never in the way: a store that fails, or takes its time, is as one that has nothing.
 */
export class SharedCache implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #store: ObjectStore;
  readonly #threads: PackThreads;
  readonly #uploads: Uploads;
  readonly #health: StoreHealth;
  readonly #bad = new LRUCache<string, true>({ max: mostBad });
  readonly #large = new Semaphore(mostLarge);
  readonly #ending = new AbortController();

  /** Loads what signs requests only where there is a store. */
  static async open(parts: Parts): Promise<SharedCache> {
    const { ObjectStore } = await import("./objectStore.ts");
    return new SharedCache(parts, new ObjectStore(parts.config));
  }

  private constructor(parts: Parts, store: ObjectStore) {
    const { wasm, log, config } = parts;
    this.#parts = parts;
    this.#store = store;
    this.#threads = new PackThreads(wasm, config.conversionTimeout);
    const cooldown = config.breakerCooldown;
    this.#health = new StoreHealth("give a symcache", cooldown, log);
    this.#uploads = new Uploads({ ...parts, store, threads: this.#threads, cooldown });
  }

  /** What was wrong with the store when it was asked last, if anything. */
  get fault(): string | undefined {
    const fault = this.#health.fault ?? this.#uploads.health.fault;
    return fault === undefined ? undefined : `${this.#store.address}: ${fault}`;
  }

  /** The symcache of a module; undefined where the store has none, or fails. */
  async find(module: ModuleId): Promise<StoredSymcache | undefined> {
    const { metrics, config } = this.#parts;
    const { key } = module;
    if (!this.#begin()) return undefined;
    const start = performance.now();
    let bytes = 0;
    const ended = (result: "hit" | "miss", error?: unknown) => {
      deadline.pause();
      this.#ended(key, error);
      metrics.increment("sharedcache.bytes", { direction: "received" }, bytes);
      metrics.histogram("sharedcache.get", performance.now() - start, { result: resultOf(error) ?? result });
    };
    const deadline = new Deadline(config.sharedCacheTimeout);
    deadline.resume();
    const signal = AbortSignal.any([this.#ending.signal, deadline.signal]);
    const received = (more: number) => void (bytes += more);
    const parts = { store: this.#store, threads: this.#threads, received, signal };
    try {
      const download = await PackedDownload.begin(objectKey(key), config.cacheMaxBytes, parts);
      if (!download) {
        ended("miss");
        return undefined;
      }
      this.#health.answered();
      const write = (path: string) => download.write(path, module);
      const isLarge = download.symcacheBytes > large;
      const writeInTurn = isLarge ? (path: string) => this.#inTurn(deadline, () => write(path)) : write;
      return stored(download, writeInTurn, (error) => ended("hit", error));
    } catch (error) {
      ended("miss", error);
      if (error instanceof SharedCacheFault) return undefined;
      throw error;
    }
  }

  /** Puts a symcache there in the background, once it is in the folder. */
  add(key: string, kept: Promise<FoundSymcache | undefined>): void {
    void kept.then((found) => found && this.#uploads.add(objectKey(key), found, this.#bad.delete(key)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#uploads.finish();
    await this.#threads[Symbol.asyncDispose]();
    await this.#uploads[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  /** Waits for what else is large, which counts for no deadline. */
  async #inTurn(deadline: Deadline, write: () => Promise<void>): Promise<void> {
    deadline.pause();
    await this.#large.run(async () => {
      deadline.resume();
      // The others may have waited in vain.
      if (this.#health.isLeftAlone) throw new SharedCacheFault(this.#health.fault ?? "it failed meanwhile");
      await write();
    });
  }

  #begin(): boolean {
    const { metrics } = this.#parts;
    const mayAsk = this.#health.begin();
    if (!mayAsk) metrics.histogram("sharedcache.get", 0, { result: "skipped" });
    metrics.gauge("sharedcache.left_alone", mayAsk ? 0 : 1);
    return mayAsk;
  }

  #ended(key: string, error: unknown): void {
    this.#health.ended(error);
    if (!(error instanceof SharedCacheFault) || !error.isBadObject) return;
    this.#parts.log.warn({ err: error, module: key }, "shared cache has no whole symcache of the module");
    this.#bad.set(key, true);
  }
}

function objectKey(key: string): string {
  return `${version}/${key}${suffix}`;
}

function stored(
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
    take: () => Promise.reject(new SharedCacheFault("it can't be kept")),
    async [Symbol.asyncDispose]() {
      end(new Error("it can't be kept"));
      await download[Symbol.asyncDispose]();
    },
  };
}

/** Undefined where nothing went wrong. */
function resultOf(error: unknown): "bad" | "fail" | undefined {
  if (error === undefined) return undefined;
  return error instanceof SharedCacheFault && error.isBadObject ? "bad" : "fail";
}
