import { moduleKey } from "../symbolication/job.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { DownloadTimings } from "../modules/convertFromSource.ts";
import type { Timings } from "../modules/outcome.ts";
import type { ModuleLookup } from "../modules/resolver.ts";

/** The `debug` value of a v5 response. Times are in seconds; keys are the debug file and debug id as sent. */
export function debugReport(symbolicated: SymbolicatedJobs, timeMs: number): object {
  const lookups = symbolicated.lookups.map((lookup, index) => ({
    key: moduleKey(symbolicated.modules, index),
    ...lookup,
  }));
  const ms = 1000;
  /** The sum of a value per module, without modules that have none. */
  const perModule = (valuesOf: (timings: Timings) => number[]): Record<string, number> =>
    Object.fromEntries(
      lookups
        .map(({ key, timings }) => [key, timings ? sum(valuesOf(timings)) : 0] as const)
        .filter(([, value]) => value > 0),
    );
  const downloads = (isComplete: boolean, valueOf: (download: DownloadTimings) => number) =>
    perModule((timings) =>
      timings.downloads
        .filter(({ downloadedBytes }) => (downloadedBytes !== undefined) === isComplete)
        .map(valueOf),
    );
  const conversions = (isConverted: boolean) =>
    perModule((timings) =>
      timings.downloads
        .filter((download) => download.isConverted === isConverted)
        .map(({ conversionMs }) => conversionMs / ms),
    );
  const download = downloads(true, ({ downloadMs }) => downloadMs / ms);
  const failedDownload = downloads(false, ({ downloadMs }) => downloadMs / ms);
  const size = downloads(true, ({ downloadedBytes }) => downloadedBytes ?? 0);
  const conversion = conversions(true);
  const saving = perModule(({ saveMs }) => [saveMs / ms]);
  const jobsPerModule = countJobsPerModule(symbolicated);
  return {
    time: timeMs / ms,
    cache_lookups: {
      count: lookups.length,
      hits: lookups.filter(({ result }) => result.status === "cached").length,
      time: sum(lookups.map(({ cacheLookupMs }) => cacheLookupMs / ms)),
    },
    downloads: {
      count: new Set([...Object.keys(download), ...Object.keys(failedDownload)]).size,
      size: sum(Object.values(size)),
      time: sum(Object.values(download)),
      size_per_module: size,
      time_per_module: download,
      fail_time_per_module: failedDownload,
    },
    parse_sym: {
      time: sum(Object.values(conversion)),
      time_per_module: conversion,
      fail_time_per_module: conversions(false),
    },
    save_symcache: { time: sum(Object.values(saving)), time_per_module: saving },
    modules: {
      count: sum([...jobsPerModule.values()]),
      stacks_per_module: Object.fromEntries(jobsPerModule),
      status_per_module: Object.fromEntries(lookups.map((lookup) => [lookup.key, statusOf(lookup)])),
    },
  };
}

/** The status of a module and, if it has no symbols, the reason. */
export function statusOf({ result }: ModuleLookup): { status: string; reason?: string } {
  const { status } = result;
  return "reason" in result ? { status, reason: result.reason } : { status };
}

/** The number of jobs per module that was looked up. */
function countJobsPerModule(symbolicated: SymbolicatedJobs): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [job, { memoryMap }] of symbolicated.jobs.entries()) {
    for (const index of symbolicated.distinctModules[job] ?? []) {
      if ((symbolicated.lookupIndexes[job]?.[index] ?? -1) < 0) continue;
      const key = moduleKey(memoryMap, index);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
