import { short } from "../src/captures/numberText.ts";
import type { Result } from "./fleet.ts";
import type { Run } from "./scenarios.ts";
import {
  conversionSeconds,
  downloadBytes,
  fetchSeconds,
  measured,
  packedBytes,
  uploadSeconds,
} from "./speeds.ts";

/** Symcache sizes; the last one is that of docs/performance.md. */
const symcacheSizes = [100e3, 1e6, 10e6, 100e6, 472e6];
/** The plot has more. */
const tabulatedFleetSizes = [8, 64];

function table(columns: string[], rows: (string | number)[][]): string {
  const lines = [columns, columns.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const milliseconds = (seconds: number) => short(seconds * 1000);
const yesOrNo = (value: boolean) => (value ? "yes" : "no");

const resultColumns = [
  "conversions",
  "duplicate",
  "GB from symbol server",
  "GB from store",
  "p50 ms",
  "p99 ms",
];
const resultCells = (result: Result) => [
  short(result.conversions),
  short(result.duplicates),
  short(result.downloadedBytes / 1e9),
  short(result.fetchedBytes / 1e9),
  milliseconds(result.p50),
  milliseconds(result.p99),
];

export function fleetsTable(runs: Run[]): string {
  return table(
    ["instances", "hashing", "shared cache", ...resultColumns, "busiest instance"],
    runs
      .filter(({ instances }) => tabulatedFleetSizes.includes(instances))
      .map((run) => [
        run.instances,
        yesOrNo(run.hashing),
        yesOrNo(run.sharing),
        ...resultCells(run.result),
        `${short(run.result.busiest * 100)} %`,
      ]),
  );
}

export function foldersTable(runs: Run[]): string {
  return table(
    ["folder GB", "shared cache", ...resultColumns],
    runs.map((run) => [run.folderGigabytes, yesOrNo(run.sharing), ...resultCells(run.result)]),
  );
}

/** Fleets with empty folders, without a shared cache and with one that has every module. */
export function emptyFoldersSentence(without: Result, full: Result): string {
  return (
    `A shared cache that has all modules helps a fleet with empty folders most, as after a rollout with Kubernetes' \`emptyDir\`: ` +
    `${short(full.conversions)} conversions instead of ${short(without.conversions)}, ` +
    `p50 ${milliseconds(full.p50)} instead of ${milliseconds(without.p50)} ms, ` +
    `p99 ${milliseconds(full.p99)} instead of ${milliseconds(without.p99)} ms, ` +
    `${short(full.fetchedBytes / 1e9)} GB from the store.`
  );
}

export function oneModuleTable(): string {
  const columns = [
    "symcache MB",
    "convert: MB received",
    "ms",
    "fetch: MB received",
    "ms",
    "wait for another instance, then fetch: ms",
  ];
  const rows = symcacheSizes.map((bytes) => {
    const converting = measured.source.latency + conversionSeconds(bytes, measured);
    const fetching = fetchSeconds(bytes, measured);
    return [
      short(bytes / 1e6),
      short(downloadBytes(bytes) / 1e6),
      milliseconds(converting),
      short(packedBytes(bytes) / 1e6),
      milliseconds(fetching),
      milliseconds(converting + uploadSeconds(bytes, measured) + fetching),
    ];
  });
  return table(columns, rows);
}
