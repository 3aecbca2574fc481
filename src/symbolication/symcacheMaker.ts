import { performance } from "node:perf_hooks";
import { LRUCache } from "lru-cache";
import type { SymcacheFolder } from "../cache/symcacheFolder.ts";
import type { Config } from "../config.ts";
import type { Logger } from "../logging.ts";
import type { Metrics } from "../metrics.ts";
import { ConversionError } from "../symbolic/converter.ts";
import { ConversionTimeout, type Conversion, type Converters } from "../symbolic/converters.ts";
import type { SymcacheBytes } from "../symbolic/messages.ts";
import { DownloadError } from "../symbols/downloadError.ts";
import type { Source, WantedModule } from "../symbols/source.ts";
import { ThreadEnded } from "../threads/thread.ts";

/** Why a module has no symbols. */
export interface Failure {
  status: "not_found" | "malformed" | "download_failed" | "too_large" | "timeout" | "overloaded" | "failed";
  /** In words, for a person. */
  reason: string;
  /** Milliseconds that it is remembered instead of tried again. */
  lifetime: number;
}

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
  /** Its path once it is in the folder; undefined where it couldn't be kept. */
  kept: Promise<string | undefined>;
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
  config: Pick<Config, "downloadTimeout" | "downloadFailedTtl" | "maxSymFileBytes" | "notFoundTtl">;
}

/** Bytes of a symcache that takes so long to flush that nobody should wait for it. */
const slowToFlush = 16e6;

/** Makes symcaches of what the sources have, once however many ask, and remembers for a while what can't be made. */
export class SymcacheMaker implements Disposable {
  readonly #parts: MakerParts;
  readonly #ending = new AbortController();
  readonly #underWay = new Map<string, Promise<Making>>();
  readonly #failures = new LRUCache<string, Failure>({ max: 100_000 });

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  /** The symcache of a module: in the folder under `key`, or its bytes where `keep` is false or the folder can't keep it. */
  async make(key: string, module: WantedModule, keep: boolean): Promise<Making> {
    const failure = this.#failures.get(key);
    if (failure) return { result: failure, cost: noCost() };
    const flight = `${key} ${keep}`;
    let making = this.#underWay.get(flight);
    if (!making) {
      making = this.#tryEachSource(key, module, keep);
      this.#underWay.set(flight, making);
      void this.#land(flight, making);
    }
    return making;
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
    failure ??= this.#notFound;
    if (failure.lifetime > 0) this.#failures.set(key, failure, { ttl: failure.lifetime });
    return { result: failure, cost };
  }

  async #makeFrom(source: Source, order: Order): Promise<Making["result"]> {
    const deadline = AbortSignal.timeout(this.#parts.config.downloadTimeout);
    const signal = AbortSignal.any([deadline, this.#ending.signal]);
    try {
      return await source.attempt(() => this.#download(source, order, signal), signal);
    } catch (error) {
      return this.#failure(error, { source: source.address, module: order.key });
    }
  }

  async #download(source: Source, order: Order, signal: AbortSignal): Promise<Making["result"]> {
    const { module, cost } = order;
    const { converters, metrics } = this.#parts;
    const start = performance.now();
    const progress: Progress = {};
    try {
      await using symText = await source.open(module, signal);
      if (!symText) return this.#notFound;
      using conversion = await converters.convert(module, this.#followed(symText.pieces, progress, cost));
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

  /** The same text, while it is noted how far it came; text without end is cut. */
  async *#followed(
    symText: AsyncIterable<Uint8Array>,
    progress: Progress,
    cost: Cost,
  ): AsyncIterable<Uint8Array> {
    const { maxSymFileBytes } = this.#parts.config;
    let bytes = 0;
    for await (const piece of symText) {
      progress.firstPiece ??= performance.now();
      bytes += piece.length;
      if (bytes > maxSymFileBytes)
        throw new DownloadError("too_large", `the sym file has more than ${maxSymFileBytes} bytes`);
      yield piece;
    }
    progress.end = performance.now();
    cost.downloadBytes += bytes;
  }

  async #save(conversion: Conversion, { key, keep, cost }: Order): Promise<Made> {
    const { folder, metrics, log } = this.#parts;
    const start = performance.now();
    const noted = (path: string) => {
      metrics.histogram("diskcache.set", performance.now() - start, { result: "success" });
      return path;
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
          const symcache = conversion.bytes < slowToFlush ? await kept : written.path;
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

  get #notFound(): Failure {
    return {
      status: "not_found",
      reason: "no source has a sym file",
      lifetime: this.#parts.config.notFoundTtl,
    };
  }

  #failure(error: unknown, { source, module }: { source: string; module: string }): Failure {
    const { config, metrics, log } = this.#parts;
    const long = config.notFoundTtl;
    const brief = config.downloadFailedTtl;
    if (error instanceof DownloadError) {
      // Without the module, of which nobody knows yet whether there is one: it is the client's own words.
      log.warn({ err: error, source }, "download failed");
      if (error.fault === "too_large") return { status: "too_large", reason: error.message, lifetime: long };
      const status = error.fault === "timeout" ? "timeout" : "download_failed";
      return { status, reason: error.message, lifetime: brief };
    }
    if (error instanceof ConversionError) {
      log.warn({ err: error, source, module }, "sym file can't be converted");
      const isAnotherFile = error.reason === "sym_debug_id_lookup_error" || error.reason === "not_a_sym_file";
      const reason = error.reason === "not_a_sym_file" ? "sym_malformed" : error.reason;
      metrics.increment("symbolicate.parse_sym_file.error", { reason });
      // An error page that a proxy served must not hide the module for long.
      if (isAnotherFile) return { status: "download_failed", reason: error.message, lifetime: brief };
      return { status: "malformed", reason: error.message, lifetime: long };
    }
    log.error({ err: error, source, module }, "conversion failed");
    const reason = error instanceof Error ? error.message : String(error);
    // A sym file that hangs or crashes a converter would do so again.
    if (error instanceof ConversionTimeout) return { status: "timeout", reason, lifetime: long };
    return { status: "failed", reason, lifetime: error instanceof ThreadEnded ? long : 0 };
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

/** Of what two sources said, what is sooner tried again, and anything rather than that nothing was found. */
function moreTelling(one: Failure, other: Failure): Failure {
  return other.lifetime < one.lifetime || one.status === "not_found" ? other : one;
}
