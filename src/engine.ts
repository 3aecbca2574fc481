import { DiskCache } from "./diskCache/diskCache.ts";
import type { Config } from "./config/readConfig.ts";
import type { Logger } from "./observability/logging.ts";
import type { Metrics } from "./observability/metrics.ts";
import { SharedCache } from "./sharedCache/sharedCache.ts";
import { Resolver } from "./modules/resolver.ts";
import { ConverterPool } from "./symcache/convert/converterPool.ts";
import { LookupPool } from "./symcache/lookup/lookupPool.ts";
import { compileWasm } from "./symcache/wasmInstance.ts";
import type { Source } from "./sources/source.ts";

interface EngineDeps {
  config: Config;
  /** The caller disposes of them after the engine. */
  sources: Source[];
  metrics: Metrics;
  log: Logger;
  /** Whether so many requests are in flight that no more of them may wait for symcaches. */
  isCrowded: () => boolean;
}

/** Symbolication without HTTP: `resolver` and its dependencies. */
export interface Engine extends AsyncDisposable {
  readonly diskCache: DiskCache;
  readonly converters: ConverterPool;
  readonly lookups: LookupPool;
  readonly sharedCache: SharedCache | undefined;
  readonly resolver: Resolver;
}

/** Opens the cache folder and starts the threads. */
export async function startEngine({ config, sources, metrics, log, isCrowded }: EngineDeps): Promise<Engine> {
  await using starting = new AsyncDisposableStack();
  const { conversion, lookup } = config;
  const diskCache = starting.use(
    new DiskCache(config.diskCache.folder, config.diskCache.maxBytes, config.diskCache.rescanIntervalMs, {
      evicted: () => metrics.increment("diskcache.evict", {}),
      used: (bytes) => metrics.gauge("diskcache.usage", bytes),
      failed: (err) => log.error({ err }, "cache folder failed"),
    }),
  );
  const wasm = await compileWasm();
  const converters = starting.use(
    new ConverterPool(wasm, conversion.threads, conversion.maxMemoryBytes, conversion.stepTimeoutMs),
  );
  const sharedCache =
    config.sharedCache &&
    starting.use(
      await SharedCache.open({ wasm, folder: diskCache, metrics, log, settings: config.sharedCache, config }),
    );
  const lookups = starting.use(new LookupPool(wasm, lookup.threads, lookup.memoryBytes, lookup.timeoutMs));
  const resolver = starting.use(
    new Resolver({ diskCache, sharedCache, sources, converters, lookups, metrics, log, isCrowded, config }),
  );
  const running = starting.move();
  return {
    diskCache,
    converters,
    lookups,
    sharedCache,
    resolver,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
