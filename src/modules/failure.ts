import type { SourceSettings } from "../config/sources.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { ConversionError } from "../symcache/convert/converter.ts";
import { DownloadError } from "../sources/downloadError.ts";
import { ThreadEnded, ThreadHung } from "../threads/thread.ts";

/** Why a module has no symbols. */
export interface Failure {
  status: "not_found" | "malformed" | "download_failed" | "too_large" | "timeout" | "overloaded" | "failed";
  /** In words, for a person. */
  reason: string;
  /** Milliseconds that it is remembered instead of tried again. */
  lifetime: number;
}

export interface FailureParts {
  metrics: Metrics;
  log: Logger;
  config: Pick<SourceSettings, "downloadFailedTtlMs" | "notFoundTtlMs">;
}

/** A conversion took longer than it may, without the time that its text took to arrive. */
export class ConversionTimeout extends Error {
  override name = "ConversionTimeout";
}

/** Milliseconds: a source that wants to be left alone for longer is asked for the module again all the same. */
const longestRest = 60_000;

export function notFound({ notFoundTtlMs }: Pick<SourceSettings, "notFoundTtlMs">): Failure {
  return { status: "not_found", reason: "no source has a sym file", lifetime: notFoundTtlMs };
}

/** It is not the module's fault, so nothing is remembered. */
export function overloaded(reason: string): Failure {
  return { status: "overloaded", reason, lifetime: 0 };
}

/** What an error says of the module whose symcache was to be made from a source; logged and counted. */
export function failureOf(
  error: unknown,
  { source, module }: { source: string; module: string },
  { config, metrics, log }: FailureParts,
): Failure {
  const long = config.notFoundTtlMs;
  const brief = config.downloadFailedTtlMs;
  if (error instanceof DownloadError) {
    // Without the module, of which nobody knows yet whether there is one: it is the client's own words.
    log.warn({ err: error, source }, "download failed");
    if (error.fault === "too_large") return { status: "too_large", reason: error.message, lifetime: long };
    const status = error.fault === "timeout" ? "timeout" : "download_failed";
    const rest = Math.min(error.retryAfter ?? 0, longestRest);
    return { status, reason: error.message, lifetime: Math.max(brief, rest) };
  }
  if (error instanceof ConversionError) {
    const isAnotherFile = error.reason === "sym_debug_id_lookup_error" || error.reason === "not_a_sym_file";
    // Nor is it named where a server has some answer to everything.
    if (isAnotherFile) log.warn({ reason: error.reason, source }, "sym file is no one of this module");
    else log.warn({ err: error, source, module }, "sym file can't be converted");
    if (error.reason === "too_large") return { status: "too_large", reason: error.message, lifetime: long };
    const reason = error.reason === "not_a_sym_file" ? "sym_malformed" : error.reason;
    metrics.increment("symbolicate.parse_sym_file.error", { reason });
    // An error page that a proxy served must not hide the module for long.
    if (isAnotherFile) return { status: "download_failed", reason: error.message, lifetime: brief };
    return { status: "malformed", reason: error.message, lifetime: long };
  }
  log.error({ err: error, source, module }, "conversion failed");
  const reason = error instanceof Error ? error.message : String(error);
  // A sym file that hangs or crashes a converter would do so again.
  if (error instanceof ConversionTimeout || error instanceof ThreadHung)
    return { status: "timeout", reason, lifetime: long };
  const isItsFault = error instanceof ThreadEnded && !error.isInnocent;
  return { status: "failed", reason, lifetime: isItsFault ? long : 0 };
}

/** Of what two sources said, what is sooner tried again, and anything rather than that nothing was found. */
export function moreTelling(one: Failure, other: Failure): Failure {
  return other.lifetime < one.lifetime || one.status === "not_found" ? other : one;
}
