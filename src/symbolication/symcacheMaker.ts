import { performance } from "node:perf_hooks";
import { bulkhead, BulkheadRejectedError, type BulkheadPolicy } from "cockatiel";
import { LRUCache } from "lru-cache";
import type { FoundSymcache, SymcacheFolder } from "../cache/symcacheFolder.ts";
import type { Config } from "../config.ts";
import type { Logger } from "../logging.ts";
import type { Metrics } from "../metrics.ts";
import { ConversionTimeout, type Conversion, type Converters } from "../symbolic/converters.ts";
import type { SymcacheBytes } from "../symbolic/messages.ts";
import { DownloadError } from "../symbols/downloadError.ts";
import type { Source, WantedModule } from "../symbols/source.ts";
import { ThreadEnded } from "../threads/thread.ts";
import { Deadline } from "./deadline.ts";
import { failureOf, moreTelling, notFound, overloaded, type Failure } from "./failure.ts";

/** What making a symcache cost, in milliseconds and bytes of sym text. A download and the conversion it feeds overlap. */
export interface Cost {
  download: number;
  downloadBytes: number;
  failedDownload: number;
  conversion: number;
  failedConversion: number;
  saving: number;
}

/** A symcache that was made. */
export interface Made {
  symcache: SymcacheBytes;
  /** Where it is once it is in the folder; undefined where it couldn't be kept. */
  kept: Promise<FoundSymcache | undefined>;
}

export interface Making {
  result: Made | Failure;
  cost: Cost;
}

export interface MakerParts {
  sources: Source[];
  folder: SymcacheFolder;
  converters: Converters;
  metrics: Metrics;
  log: Logger;
  /** Whether so many requests are under way that no more of them may wait for symcaches. */
  isCrowded: () => boolean;
  config: Pick<
    Config,
    | "conversionTotalTimeout"
    | "downloadFailedTtl"
    | "downloadQueue"
    | "downloadTimeout"
    | "maxDownloads"
    | "maxSymFileBytes"
    | "notFoundTtl"
  >;
}

/** Bytes of a symcache that takes so long to flush that nobody should wait for it. */
const slowToFlush = 16e6;

/** Makes symcaches of what the sources have, once however many ask, and remembers for a while what can't be made. */
export class SymcacheMaker implements Disposable {
  readonly #parts: MakerParts;
  readonly #ending = new AbortController();
  readonly #underWay = new Map<string, Promise<Making>>();
  readonly #failures = new LRUCache<string, Failure>({ max: 100_000 });
  readonly #queue: BulkheadPolicy;

  constructor(parts: MakerParts) {
    this.#parts = parts;
    this.#queue = bulkhead(parts.config.maxDownloads, parts.config.downloadQueue);
  }

  /** Modules that wait for their download to begin. */
  get waiting(): number {
    return this.#parts.config.downloadQueue - this.#queue.queueSlots;
  }

  /** The symcache of a module: in the folder under `key`, or its bytes where `keep` is false or the folder can't keep it. */
  async make(key: string, module: WantedModule, keep: boolean): Promise<Making> {
    const failure = this.#failures.get(key);
    if (failure) return { result: failure, cost: noCost() };
    if (this.#parts.isCrowded()) return this.#overloaded("too many requests are under way");
    const flight = `${key} ${keep}`;
    let making = this.#underWay.get(flight);
    if (!making) {
      making = this.#inTurn(() => this.#tryEachSource(key, module, keep));
      this.#underWay.set(flight, making);
      void this.#land(flight, making);
    }
    return making;
  }

  async #inTurn(work: () => Promise<Making>): Promise<Making> {
    const { metrics } = this.#parts;
    try {
      const making = this.#queue.execute(work);
      metrics.gauge("downloader.queue", this.waiting);
      return await making;
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error;
      return this.#overloaded("too many modules wait to be downloaded");
    } finally {
      metrics.gauge("downloader.queue", this.waiting);
    }
  }

  #overloaded(reason: string): Making {
    this.#parts.metrics.increment("symbolicate.overloaded", {});
    return { result: overloaded(reason), cost: noCost() };
  }

  /** A flight ends when its symcache is in the folder: who comes before that joins it. */
  async #land(flight: string, making: Promise<Making>): Promise<void> {
    try {
      const { result } = await making;
      if ("kept" in result) await result.kept;
    } finally {
      this.#underWay.delete(flight);
    }
  }

  /** Gives up what is under way. */
  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #tryEachSource(key: string, module: WantedModule, keep: boolean): Promise<Making> {
    const cost = noCost();
    let failure: Failure | undefined;
    for (const source of this.#parts.sources) {
      const result = await this.#makeFrom(source, { key, module, keep, cost });
      if ("symcache" in result) return { result, cost };
      failure = failure ? moreTelling(failure, result) : result;
    }
    failure ??= notFound(this.#parts.config);
    if (failure.lifetime > 0) this.#failures.set(key, failure, { ttl: failure.lifetime });
    return { result: failure, cost };
  }

  async #makeFrom(source: Source, order: Order): Promise<Making["result"]> {
    using deadline = new Deadline(this.#parts.config.downloadTimeout);
    const signal = AbortSignal.any([deadline.signal, this.#ending.signal]);
    try {
      return await source.attempt(() => this.#download(source, { ...order, deadline }, signal), signal);
    } catch (error) {
      return failureOf(error, { source: source.address, module: order.key }, this.#parts);
    }
  }

  async #download(
    source: Source,
    order: Order & { deadline: Deadline },
    signal: AbortSignal,
  ): Promise<Making["result"]> {
    const { module, cost, deadline } = order;
    const { converters, metrics } = this.#parts;
    const start = performance.now();
    const progress: Progress = {};
    try {
      deadline.run();
      await using symText = await source.open(module, signal);
      deadline.stop();
      if (!symText) return notFound(this.#parts.config);
      const text = this.#followed(symText.pieces, progress, order);
      using conversion = await converters.convert(module, text);
      cost.conversion = performance.now() - (progress.firstPiece ?? start);
      metrics.timing("symbolicate.parse_sym_file.parse", cost.conversion, {});
      return await this.#save(conversion, order);
    } catch (error) {
      if (progress.firstPiece !== undefined) cost.failedConversion += performance.now() - progress.firstPiece;
      throw error;
    } finally {
      const time = (progress.end ?? performance.now()) - start;
      if (progress.end === undefined) cost.failedDownload += time;
      else cost.download += time;
      metrics.histogram("downloader.download", time, {
        response: progress.end === undefined ? "fail" : "success",
      });
    }
  }

  /**
   * The same text, while it is noted how far it came; text without end is cut. Its deadline runs while the source is
   * waited for; the rest of the time it is the converter who works.
   */
  async *#followed(
    symText: AsyncIterable<Uint8Array>,
    progress: Progress,
    { cost, deadline }: { cost: Cost; deadline: Deadline },
  ): AsyncIterable<Uint8Array> {
    const { maxSymFileBytes, conversionTotalTimeout } = this.#parts.config;
    let bytes = 0;
    let worked = 0;
    deadline.run();
    for await (const piece of symText) {
      deadline.stop();
      progress.firstPiece ??= performance.now();
      bytes += piece.length;
      if (bytes > maxSymFileBytes)
        throw new DownloadError("too_large", `the sym file has more than ${maxSymFileBytes} bytes`);
      const start = performance.now();
      yield piece;
      worked += performance.now() - start;
      if (worked > conversionTotalTimeout)
        throw new ConversionTimeout(`conversion took over ${conversionTotalTimeout / 1000} s`);
      deadline.run();
    }
    deadline.stop();
    progress.end = performance.now();
    cost.downloadBytes += bytes;
  }

  async #save(conversion: Conversion, { key, keep, cost }: Order): Promise<Made> {
    const { folder, metrics, log } = this.#parts;
    const start = performance.now();
    const noted = (found: FoundSymcache) => {
      metrics.histogram("diskcache.set", performance.now() - start, { result: "success" });
      return found;
    };
    const failed = (err: unknown) => {
      if (err instanceof ThreadEnded) throw err;
      metrics.histogram("diskcache.set", performance.now() - start, { result: "fail" });
      log.error({ err, module: key }, "symcache can't be written");
      return undefined;
    };
    if (keep) {
      try {
        const written = await folder.set(key, conversion.bytes, (file) => conversion.write(file));
        const kept = written?.kept.then(noted);
        if (written && kept) {
          const symcache = conversion.bytes < slowToFlush ? (await kept).path : written.path;
          cost.saving = performance.now() - start;
          return { symcache, kept: kept.catch(failed) };
        }
        log.warn({ module: key, bytes: conversion.bytes }, "symcache is larger than the cache folder may be");
      } catch (error) {
        failed(error);
      }
    }
    return { symcache: await conversion.take(), kept: Promise.resolve(undefined) };
  }
}

/** A symcache to be made, and what that has cost so far. */
interface Order {
  key: string;
  module: WantedModule;
  keep: boolean;
  cost: Cost;
}

/** When a download's first piece and its end came, on the performance clock. */
interface Progress {
  firstPiece?: number;
  end?: number;
}

function noCost(): Cost {
  return { download: 0, downloadBytes: 0, failedDownload: 0, conversion: 0, failedConversion: 0, saving: 0 };
}
