import { short } from "../src/cli/numberText.ts";
import type { Figures } from "./fleet.ts";
import { runThreeInstances, type Run } from "./scenarios.ts";
import { convertingTime, fetchingTime, keptInStore, measured, sentBySource, storingTime } from "./speeds.ts";

/** Bytes of symcaches: small ones, one of 10 MB, and the largest of docs/performance.md. */
const sizes = [100e3, 1e6, 10e6, 100e6, 472e6];

function table(columns: string[], rows: (string | number)[][]): string {
  const lines = [columns, columns.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const gigabytes = (bytes: number) => short(bytes / 1e9);
const milliseconds = (seconds: number) => short(seconds * 1000);
const wayNames = ({ hashed, stored }: Run) => [
  hashed ? "first module's hash" : "fewest requests",
  stored ? "yes" : "no",
];

const workColumns = [
  "conversions",
  "– of these at once",
  "GB from the symbol server",
  "GB from the store",
  "p50, ms",
  "p99, ms",
];
const workCells = (figures: Figures) => [
  short(figures.conversions),
  short(figures.atOnce),
  gigabytes(figures.bytesFromSource),
  gigabytes(figures.bytesFromStore),
  milliseconds(figures.p50),
  milliseconds(figures.p99),
];

export function fleetsTable(runs: Run[]): string {
  return table(
    ["instances", "chosen by", "store", ...workColumns, "requests to the busiest"],
    runs.map((run) => [
      run.instances,
      ...wayNames(run),
      ...workCells(run.figures),
      `${short(run.figures.busiest * 100)} %`,
    ]),
  );
}

export function foldersTable(runs: Run[]): string {
  return table(
    ["GB of each folder", "chosen by", "store", ...workColumns],
    runs.map((run) => [run.folderGigabytes, ...wayNames(run), ...workCells(run.figures)]),
  );
}

export function emptyFoldersTable(rows: Record<string, Figures>): string {
  return table(
    ["", ...workColumns],
    Object.entries(rows).map(([what, figures]) => [what, ...workCells(figures)]),
  );
}

export function oneModuleTable(): string {
  const columns = [
    "symcache, MB",
    "made again: MB sent",
    "– ms",
    "from the store: MB sent",
    "– ms",
    "as the second of two, if it waited for the first: ms",
  ];
  const rows = sizes.map((bytes) => {
    const making = measured.source.latency + convertingTime(bytes, measured);
    const fetching = fetchingTime(bytes, measured);
    return [
      short(bytes / 1e6),
      short(sentBySource(bytes) / 1e6),
      milliseconds(making),
      short(keptInStore(bytes) / 1e6),
      milliseconds(fetching),
      milliseconds(making + storingTime(bytes, measured) + fetching),
    ];
  });
  return table(columns, rows);
}

/** Of modules as test/faults/fleet.test.ts makes them. */
export function threeInstancesTable(): string {
  const modules = Array<number>(200).fill(1300);
  const row = (apart: number) => runThreeInstances(modules, apart).conversions;
  return table(
    ["asked of three instances", "conversions"],
    [
      ["30 s apart", row(30)],
      ["at the same moment", row(0)],
    ],
  );
}
