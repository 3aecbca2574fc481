import { median } from "../../bench/measure.ts";
import { plot, type Panel } from "../../loadTesting/plot.ts";
import { short } from "../../src/captures/numberText.ts";
import { folderBytes } from "./modules.ts";
import type { Sample } from "./sample.ts";
import type { Soak } from "./soak.ts";
import { halves } from "./findings.ts";

type Quantity = keyof Sample;

const rows: [name: string, quantity: Quantity][] = [
  ["resident memory, MB", "megabytes"],
  ["file handles", "handles"],
  ["– of symcaches", "symcacheHandles"],
  ["threads", "threads"],
  [`cache folder, of ${folderBytes / 1e6} MB`, "folderMegabytes"],
  ["responses per second", "responsesPerSecond"],
  ["response time with cached symcaches, median, ms", "median"],
  ["– p99, ms", "p99"],
];

/** A Markdown table with the medians of both halves, the maximum, and the values at the start and at rest. */
export function table({ start, samples, rest }: Soak): string {
  const { earlier, later } = halves(samples) ?? { earlier: samples, later: samples };
  const span = (part: Sample[]) =>
    `median of minutes ${short(part[0]?.minutes ?? 0)} to ${short(part.at(-1)?.minutes ?? 0)}`;
  const lines = rows.map(([name, quantity]) => {
    const known = (part: (Sample | undefined)[]) =>
      part.map((sample) => sample?.[quantity] ?? NaN).filter((value) => !Number.isNaN(value));
    const cells = [
      known([start]),
      [median(known(earlier))],
      [median(known(later))],
      [Math.max(...known(samples))],
      known([rest]),
    ].map(([value = NaN]) => (Number.isFinite(value) ? short(value) : ""));
    return `| ${[name, ...cells].join(" | ")} |`;
  });
  return [
    `| | at the start | ${span(earlier)} | ${span(later)} | maximum | at rest |`,
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/** Counts of responses, modules and injected faults, as sentences. */
export function counts({ counters, faults }: Soak): string {
  return [
    `Responses: ${listed(counters.responses)}; ${counters.wrongResponses} were wrong.`,
    `Modules of requests with \`Debug\`: ${listed(counters.modules)}.`,
    `Injected ${short(sum(faults))} faults of ${faults.size} kinds.`,
  ].join(" ");
}

/** An SVG plot of the samples over time. */
export function drawing({ samples }: Soak, title: string): string {
  const end = Math.ceil(Math.max(...samples.map(({ minutes }) => minutes)));
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * end);
  const panel = (name: string, series: Record<string, Quantity>): Panel => ({
    title: name,
    axes: "linear",
    ticks,
    series: Object.entries(series).map(([label, quantity]) => ({
      name: label,
      points: samples
        .map((sample) => ({ x: sample.minutes, y: sample[quantity] }))
        .filter(({ y }) => !Number.isNaN(y)),
    })),
  });
  const panels = [
    panel("MB", { "resident memory": "megabytes", "cache folder": "folderMegabytes" }),
    panel("file handles", { all: "handles", "of symcaches": "symcacheHandles" }),
    panel("response time with cached symcaches, ms", { "99th percentile": "p99", median: "median" }),
    panel("count", { "responses per second": "responsesPerSecond", threads: "threads" }),
  ];
  return plot(title, panels, 2);
}

/** `1,234 × 200, 12 × 503`, most frequent first. */
function listed(counted: Map<string, number>): string {
  const sorted = [...counted].toSorted(([, one], [, other]) => other - one);
  return sorted.map(([what, times]) => `${times.toLocaleString("en")} × ${what}`).join(", ");
}

function sum(counted: Map<string, number>): number {
  return [...counted.values()].reduce((total, times) => total + times, 0);
}
