import type { Cost } from "../modules/cost.ts";
import { moduleKey } from "../symbolication/job.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { ModuleLookup } from "../modules/symcaches.ts";

/** What a request with a Debug header learns of how its answer came about. Times are in seconds, keys `name/ID` as the request has them. */
export function debugReport(symbolicated: SymbolicatedJobs, milliseconds: number): object {
  const lookups = symbolicated.lookups.map((lookup, number) => ({
    key: moduleKey(symbolicated.modules, number),
    ...lookup,
  }));
  /** Per module, what one part of its cost was, where it cost anything. */
  const perModule = (part: keyof Cost, unit: number): Record<string, number> =>
    Object.fromEntries(
      lookups.filter(({ cost }) => cost?.[part]).map(({ key, cost }) => [key, (cost?.[part] ?? 0) / unit]),
    );
  const ms = 1000;
  const download = perModule("download", ms);
  const failedDownload = perModule("failedDownload", ms);
  const size = perModule("downloadBytes", 1);
  const conversion = perModule("conversion", ms);
  const saving = perModule("saving", ms);
  const jobsPerModule = countJobsPerModule(symbolicated);
  return {
    time: milliseconds / ms,
    cache_lookups: {
      count: lookups.length,
      hits: lookups.filter(({ answer }) => answer.status === "cached").length,
      time: sum(lookups.map(({ cacheLookup }) => cacheLookup / ms)),
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
      fail_time_per_module: perModule("failedConversion", ms),
    },
    save_symcache: { time: sum(Object.values(saving)), time_per_module: saving },
    modules: {
      count: sum([...jobsPerModule.values()]),
      stacks_per_module: Object.fromEntries(jobsPerModule),
      status_per_module: Object.fromEntries(lookups.map((lookup) => [lookup.key, statusOf(lookup)])),
    },
  };
}

/** What became of a module and, where it has no symbols, why. */
export function statusOf({ answer }: ModuleLookup): { status: string; reason?: string } {
  const { status } = answer;
  return "reason" in answer ? { status, reason: answer.reason } : { status };
}

/** In how many jobs' memory maps each module stands that was looked for. */
function countJobsPerModule(symbolicated: SymbolicatedJobs): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [job, { memoryMap }] of symbolicated.jobs.entries()) {
    for (const index of symbolicated.distinctModules[job] ?? []) {
      if ((symbolicated.moduleNumbers[job]?.[index] ?? -1) < 0) continue;
      const key = moduleKey(memoryMap, index);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
