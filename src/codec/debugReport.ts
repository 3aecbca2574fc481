import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { DownloadTimings } from "../modules/convertFromSource.ts";
import type { Timings } from "../modules/outcome.ts";
import type { ModuleLookup } from "../modules/resolver.ts";
import type { JsonBytes } from "./jsonBytes.ts";

/** Modules without a value also take time. */
const lookupsPerYield = 20_000;

/** Writes the `debug` value of a v5 response. Times are in seconds. Yields regularly so that other requests can run. */
export function* renderDebugReport(
  symbolicated: SymbolicatedJobs,
  timeMs: number,
  json: JsonBytes,
): Generator<void> {
  const { lookups } = symbolicated;
  const report = new ModuleReport(symbolicated, json);
  const downloads = (isComplete: boolean, valueOf: (download: DownloadTimings) => number) =>
    ofTimings(({ downloads: all }) =>
      all.filter(({ downloadedBytes }) => (downloadedBytes !== undefined) === isComplete).map(valueOf),
    );
  const conversions = (isConverted: boolean) =>
    ofTimings(({ downloads: all }) =>
      all
        .filter((download) => download.isConverted === isConverted)
        .map(({ conversionMs }) => conversionMs / ms),
    );

  json.text(`{"time":${timeMs / ms},"cache_lookups":{"count":${lookups.length},`);
  json.text(`"hits":${sum(lookups, ({ result }) => Number(result.status === "cached"))},`);
  json.text(`"time":${sum(lookups, ({ cacheLookupMs }) => cacheLookupMs / ms)}},"downloads":{`);
  const size = yield* report.numbers("size_per_module", downloads(true, ({ downloadedBytes }) => downloadedBytes ?? 0)); // prettier-ignore
  const downloadTime = yield* report.numbers("time_per_module", downloads(true, ({ downloadMs }) => downloadMs / ms)); // prettier-ignore
  yield* report.numbers(
    "fail_time_per_module",
    downloads(false, ({ downloadMs }) => downloadMs / ms),
  );
  json.text(`"count":${sum(lookups, hasDownload)},"size":${size},"time":${downloadTime}},"parse_sym":{`);
  const conversionTime = yield* report.numbers("time_per_module", conversions(true));
  yield* report.numbers("fail_time_per_module", conversions(false));
  json.text(`"time":${conversionTime}},"save_symcache":{`);
  const saveTime = yield* report.numbers(
    "time_per_module",
    ofTimings(({ saveMs }) => [saveMs / ms]),
  );
  json.text(`"time":${saveTime}},"modules":{`);
  const jobs = countJobsPerModule(symbolicated);
  const count = yield* report.numbers("stacks_per_module", (_, index) => jobs[index] ?? 0);
  yield* report.members("status_per_module", (lookup) => JSON.stringify(statusOf(lookup)));
  json.text(`"count":${count}}}`);
}

const ms = 1000;

function hasDownload({ timings }: ModuleLookup): number {
  return Number((timings?.downloads.length ?? 0) > 0);
}

type ValueOf<Value> = (lookup: ModuleLookup, index: number) => Value;

function ofTimings(valuesOf: (timings: Timings) => number[]): ValueOf<number> {
  return ({ timings }) => (timings ? sum(valuesOf(timings), (value) => value) : 0);
}

/** Writes objects with a member per module. Its key is the debug file and debug id as sent. */
class ModuleReport {
  readonly #json: JsonBytes;
  readonly #lookups: ModuleLookup[];
  readonly #keys: Buffer;
  readonly #keyEnds: Uint32Array;

  constructor({ lookups, modules }: SymbolicatedJobs, json: JsonBytes) {
    this.#json = json;
    this.#lookups = lookups;
    this.#keys = Buffer.from(modules.keys.buffer);
    this.#keyEnds = modules.keyEnds;
  }

  /** Writes `"name":{…},` with numbers, without those that are 0. Returns their sum. */
  *numbers(name: string, valueOf: ValueOf<number>): Generator<void, number> {
    let total = 0;
    yield* this.members(name, (lookup, index) => {
      const value = valueOf(lookup, index);
      total += value;
      return value > 0 ? String(value) : "";
    });
    return total;
  }

  /** Writes `"name":{…},` with JSON text, without what is empty. */
  *members(name: string, valueOf: ValueOf<string>): Generator<void> {
    let separator = "";
    this.#json.text(`"${name}":{`);
    for (const [index, lookup] of this.#lookups.entries()) {
      const value = valueOf(lookup, index);
      if (value !== "") {
        this.#json.text(`${separator}"`);
        this.#json.bytes(this.#keys, this.#keyEnds[index - 1] ?? 0, this.#keyEnds[index]);
        this.#json.text(`":${value}`);
        separator = ",";
      }
      if (this.#json.shouldYield() || index % lookupsPerYield === lookupsPerYield - 1) yield;
    }
    this.#json.text("},");
  }
}

/** The status of a module and, if it has no symbols, the reason. */
export function statusOf({ result }: ModuleLookup): { status: string; reason?: string } {
  const { status } = result;
  return "reason" in result ? { status, reason: result.reason } : { status };
}

/** Per lookup, the number of jobs that have its module. */
function countJobsPerModule({
  jobs,
  distinctModules,
  lookupIndexes,
  lookups,
}: SymbolicatedJobs): Uint32Array {
  const counts = new Uint32Array(lookups.length);
  for (const job of jobs.keys())
    for (const index of distinctModules[job] ?? []) {
      const lookupIndex = lookupIndexes[job]?.[index] ?? -1;
      if (lookupIndex >= 0) counts[lookupIndex] = (counts[lookupIndex] ?? 0) + 1;
    }
  return counts;
}

function sum<Value>(values: Value[], numberOf: (value: Value) => number): number {
  return values.reduce((total, value) => total + numberOf(value), 0);
}
