import type { SourceSettings } from "../config/sources.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { DownloadError } from "../sources/downloadError.ts";
import { ConversionError } from "../symcache/convert/converter.ts";
import { ThreadEnded, ThreadHung } from "../threads/thread.ts";
import { ConversionTimeout, type DownloadTimings } from "./convertFromSource.ts";
import type { ReadableSymcache } from "./storeSymcache.ts";

/** Why a module has no symbols. */
export interface Failure {
  status: "not_found" | "malformed" | "download_failed" | "too_large" | "timeout" | "overloaded" | "failed";
  /** For people. */
  reason: string;
  /** How long the failure is remembered before the sources are asked again. */
  ttlMs: number;
}

export interface Timings {
  downloads: DownloadTimings[];
  /** Until the symcache could be read from the disk cache; 0 if it was not written there. */
  saveMs: number;
}

/** What a source failed with. */
interface SourceFault {
  source: string;
  error: unknown;
}

/** How a cache miss ended: with a symcache from the shared cache (`cached`) or from a sym file, or with a failure. */
export type Outcome = { downloads: DownloadTimings[]; faults: SourceFault[] } & (
  Failure | ({ status: "cached" | "converted" } & ReadableSymcache)
);

/** A source that asks for a longer pause gets requests for the module again after this. */
const maxRetryAfterMs = 60_000;

/** What an error of a source, or of the conversion of its sym file, means for the module. */
export function failureOf(error: unknown, { notFoundTtlMs, downloadFailedTtlMs }: SourceSettings): Failure {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof DownloadError) {
    if (error.fault === "too_large") return { status: "too_large", reason, ttlMs: notFoundTtlMs };
    const pause = Math.min(error.retryAfter ?? 0, maxRetryAfterMs);
    const status = error.fault === "timeout" ? "timeout" : "download_failed";
    return { status, reason, ttlMs: Math.max(downloadFailedTtlMs, pause) };
  }
  if (error instanceof ConversionError) {
    if (error.reason === "too_large") return { status: "too_large", reason, ttlMs: notFoundTtlMs };
    // The error page of a proxy must not hide the module for long.
    if (isOtherFile(error)) return { status: "download_failed", reason, ttlMs: downloadFailedTtlMs };
    return { status: "malformed", reason, ttlMs: notFoundTtlMs };
  }
  // A sym file that hangs or crashes a converter would do so again.
  if (error instanceof ConversionTimeout || error instanceof ThreadHung)
    return { status: "timeout", reason, ttlMs: notFoundTtlMs };
  const isCausedByModule = error instanceof ThreadEnded && !error.isRetryable;
  return { status: "failed", reason, ttlMs: isCausedByModule ? notFoundTtlMs : 0 };
}

/** A failure of ours, such as of the disk: the next request may try again at once. */
export function failed(reason: string): Failure {
  return { status: "failed", reason, ttlMs: 0 };
}

/** Combines the failures of two sources: prefers the one that is retried sooner; `not_found` has the lowest priority. */
export function combineFailures(one: Failure, other: Failure): Failure {
  return other.ttlMs < one.ttlMs || one.status === "not_found" ? other : one;
}

/** Logs an outcome and sends its metrics. */
export function recordOutcome(
  module: string,
  { status, downloads, faults }: Outcome,
  { metrics, log }: { metrics: Metrics; log: Logger },
): void {
  if (status === "overloaded") metrics.increment("symbolicate.overloaded", {});
  for (const { downloadMs, downloadedBytes, conversionMs, isConverted, otherName } of downloads) {
    const response = downloadedBytes === undefined ? "fail" : "success";
    metrics.histogram("downloader.download", downloadMs, { response });
    if (isConverted) metrics.timing("symbolicate.parse_sym_file.parse", conversionMs, {});
    if (otherName !== undefined) log.info({ module, name: otherName }, "sym file has another name");
  }
  for (const { source, error: err } of faults) {
    // Until a source has sent its sym file, a module's name is only what a client wrote, and is not logged.
    if (err instanceof DownloadError) log.warn({ err, source }, "download failed");
    else if (!(err instanceof ConversionError)) log.error({ err, source, module }, "conversion failed");
    else {
      if (isOtherFile(err)) log.warn({ reason: err.reason, source }, "sym file belongs to another module");
      else log.warn({ err, source, module }, "sym file can't be converted");
      const reason = err.reason === "not_a_sym_file" ? "sym_malformed" : err.reason;
      if (reason !== "too_large") metrics.increment("symbolicate.parse_sym_file.error", { reason });
    }
  }
}

function isOtherFile({ reason }: ConversionError): boolean {
  return reason === "sym_debug_id_lookup_error" || reason === "not_a_sym_file";
}
