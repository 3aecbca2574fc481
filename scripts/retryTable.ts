import type { Config } from "../src/config/readConfig.ts";
import { retryPolicy } from "../src/config/retryPolicy.ts";

interface Step {
  step: string;
  /** What makes another attempt worthwhile; empty for none. */
  retriedAfter: string;
  attempts: number;
  timeoutMs: number | undefined;
}

/** The steps of a cache miss, in order: how often each step is tried and how long one attempt may take. */
export function retryTable({ sources, conversion, lookup, sharedCache }: Config): Step[] {
  const { conversionAttempts, lookupAttempts, symcacheAttempts, diskTimeoutMs, diskSpaceTimeoutMs } =
    retryPolicy;
  const transient = "a network error, a timeout, a damaged body, status 408, 425, 429 or 5xx";
  return [
    step("operation of the disk cache", diskTimeoutMs),
    step("get from the shared cache, in all", sharedCache?.getTimeoutMs),
    step("shared cache: connect, response headers, next chunk", sharedCache?.stallTimeoutMs),
    step("all attempts at one source, waits included", sources.downloadTimeoutMs),
    step("download from one source", undefined, sources.downloadAttempts, transient),
    step("source: connect", sources.connectTimeoutMs),
    step("source: response headers", sources.headersTimeoutMs),
    step("source: next chunk", sources.stallTimeoutMs),
    step(
      "conversion, without waiting for the download",
      conversion.totalTimeoutMs,
      conversionAttempts,
      "the converter thread ended, but not because of this sym file",
    ),
    step("step of a conversion, such as 1 MiB of text", conversion.stepTimeoutMs),
    step("wait for space in the disk cache", diskSpaceTimeoutMs),
    step(
      "cache miss as a whole",
      undefined,
      symcacheAttempts,
      "the symcache was evicted or damaged before it could be read",
    ),
    step(
      "lookup",
      lookup.timeoutMs,
      lookupAttempts,
      "the lookup thread ended, but not because of this lookup",
    ),
  ];
}

/** Upper bounds for one module whose symcache is in no cache, with one source and a free download slot and converter. */
export function worstCases({ sources, conversion, lookup, sharedCache }: Config) {
  const { source, conversionAttempts, lookupAttempts, symcacheAttempts, diskTimeoutMs } = retryPolicy;
  const attempts = sources.downloadAttempts;
  const delaysMs = Array.from({ length: attempts - 1 }, (_, i) =>
    Math.min(source.firstDelayMs * 2 ** (i + 1), source.maxDelayMs),
  ).reduce((sum, delayMs) => sum + delayMs, 0);
  // The time of one attempt may be exceeded by the step that runs when it is over; finishing the symcache is another.
  const conversionMs = conversion.totalTimeoutMs + 2 * conversion.stepTimeoutMs;
  const sourceMs = conversionAttempts * (sources.downloadTimeoutMs + attempts * conversionMs);
  const lookupMs = lookupAttempts * lookup.timeoutMs;
  // Scan, mkdir, evict for the size limit, evict for free disk space.
  const storeMs = retryPolicy.diskSpaceTimeoutMs + 4 * diskTimeoutMs + retryPolicy.flushTimeoutMs;
  const missMs = (sharedCache?.getTimeoutMs ?? 0) + sourceMs + conversionAttempts * storeMs + lookupMs;
  return {
    unreachableMs: attempts * sources.connectTimeoutMs + delaysMs,
    silentMs: attempts * sources.headersTimeoutMs + delaysMs,
    tricklingMs: sources.downloadTimeoutMs,
    everythingMs: diskTimeoutMs + lookupMs + symcacheAttempts * missMs,
  };
}

function step(name: string, timeoutMs: number | undefined, attempts = 1, retriedAfter = ""): Step {
  return { step: name, retriedAfter, attempts, timeoutMs };
}
