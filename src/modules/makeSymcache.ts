import { performance } from "node:perf_hooks";
import type { Config } from "../config/config.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Converters } from "../symcache/convert/converterPool.ts";
import { DownloadError } from "../sources/downloadError.ts";
import type { Source } from "../sources/source.ts";
import { ThreadEnded } from "../threads/thread.ts";
import type { Cost } from "./cost.ts";
import { Deadline } from "../async/deadline.ts";
import { ConversionTimeout, failureOf, notFound, type Failure } from "./failure.ts";
import { keepSymcache, type Kept, type KeepParts } from "./keepSymcache.ts";

/** A symcache to be made, and what that has cost so far. */
export interface Order {
  module: ModuleId;
  keep: boolean;
  cost: Cost;
}

export interface MakeParts extends KeepParts {
  converters: Converters;
  config: Pick<
    Config,
    "conversionTotalTimeout" | "downloadFailedTtl" | "downloadTimeout" | "maxSymFileBytes" | "notFoundTtl"
  >;
}

/** When a download's first piece and its end came, on the performance clock. */
interface Progress {
  firstPiece?: number;
  end?: number;
}

/** Conversions of a sym file where they end for no fault of its own. */
const attempts = 2;

/** Makes a symcache of what one source has, or says why it can't. Given up when `ending` says so. */
export async function makeSymcache(
  source: Source,
  order: Order,
  parts: MakeParts,
  ending: AbortSignal,
): Promise<Kept | Failure> {
  for (let attempt = 1; ; attempt++) {
    using deadline = new Deadline(parts.config.downloadTimeout);
    const signal = AbortSignal.any([deadline.signal, ending]);
    try {
      return await source.attempt(() => download(source, order, parts, { deadline, signal }), signal);
    } catch (error) {
      const isInnocent = error instanceof ThreadEnded && error.isInnocent;
      if (!isInnocent || attempt === attempts || ending.aborted)
        return failureOf(error, { source: source.address, module: order.module.key }, parts);
    }
  }
}

async function download(
  source: Source,
  order: Order,
  parts: MakeParts,
  { deadline, signal }: { deadline: Deadline; signal: AbortSignal },
): Promise<Kept | Failure> {
  const { module, cost } = order;
  const { converters, metrics, config } = parts;
  const start = performance.now();
  const progress: Progress = {};
  try {
    deadline.resume();
    await using symText = await source.open(module, signal);
    deadline.pause();
    if (!symText) return notFound(config);
    const text = followed(symText.pieces, progress, { cost, deadline, config });
    using conversion = await converters.convert(module, text);
    cost.conversion = performance.now() - (progress.firstPiece ?? start);
    metrics.timing("symbolicate.parse_sym_file.parse", cost.conversion, {});
    return await keepSymcache(conversion, order, parts);
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
 * The same text, while it is noted how far it came; text without end is cut. Its deadline runs while the source is waited
 * for; the rest of the time it is the converter who works.
 */
async function* followed(
  symText: AsyncIterable<Uint8Array>,
  progress: Progress,
  { cost, deadline, config }: { cost: Cost; deadline: Deadline; config: MakeParts["config"] },
): AsyncIterable<Uint8Array> {
  const { maxSymFileBytes, conversionTotalTimeout } = config;
  let bytes = 0;
  let worked = 0;
  deadline.resume();
  for await (const piece of symText) {
    deadline.pause();
    progress.firstPiece ??= performance.now();
    bytes += piece.length;
    if (bytes > maxSymFileBytes)
      throw new DownloadError("too_large", `the sym file has more than ${maxSymFileBytes} bytes`);
    const start = performance.now();
    yield piece;
    worked += performance.now() - start;
    if (worked > conversionTotalTimeout)
      throw new ConversionTimeout(`conversion took over ${conversionTotalTimeout / 1000} s`);
    deadline.resume();
  }
  deadline.pause();
  progress.end = performance.now();
  cost.downloadBytes += bytes;
}
