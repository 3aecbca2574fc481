import { counted, short, whole } from "../../src/captures/numberText.ts";
import type { Measurements } from "./measurements.ts";
import { percentiles, type Percentiles } from "./percentiles.ts";
import type { Plan } from "./send.ts";
import { timeline, type Span } from "./timeline.ts";

/** Times are in seconds, latencies and lateness in milliseconds. Only the timeline includes the warm-up. */
export interface Report {
  url: string;
  /** Number of distinct requests. */
  requests: number;
  rate?: number;
  concurrency?: number;
  warmUp: number;
  /** From the end of the warm-up to the last response, or to when the next request would have been due. */
  seconds: number;
  isInterrupted: boolean;
  answered: number;
  failed: number;
  /** In flight when the run was interrupted. */
  unfinished: number;
  answeredPerSecond: number;
  megabytesPerSecond: number;
  /** Of successful requests, counted from when each was due. */
  latency?: Percentiles;
  errors: { kind: string; count: number; example: string }[];
  /** How late this tool sent requests, and the share of time in which its thread was busy. */
  lateness?: Percentiles;
  busy: number;
  timeline: Span[];
}

/** Above this, the tool itself may be the bottleneck. */
const busyLimit = 0.8;

export function createReport(
  run: { url: string; requests: number; isInterrupted: boolean; busy: number },
  { rate, concurrency, warmUp }: Plan,
  measurements: Measurements,
): Report {
  const { answered, failed, unfinished, bytes, end } = measurements;
  const latency = percentiles(
    measurements.latencies.filter((_, index) => (measurements.times[index] ?? -1) >= 0),
  );
  const lateness = rate === undefined ? undefined : percentiles(measurements.lateness);
  const seconds = Math.max(end, rate === undefined ? 0 : (answered + failed) / rate);
  const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0);
  return {
    url: run.url,
    requests: run.requests,
    ...(rate === undefined ? { concurrency } : { rate }),
    warmUp,
    seconds,
    isInterrupted: run.isInterrupted,
    answered,
    failed,
    unfinished,
    answeredPerSecond: perSecond(answered),
    megabytesPerSecond: perSecond(bytes) / 1e6,
    ...(latency ? { latency } : {}),
    errors: [...measurements.failures]
      .map(([kind, { count, example }]) => ({ kind, count, example }))
      .toSorted((a, b) => b.count - a.count),
    ...(lateness ? { lateness } : {}),
    busy: run.busy,
    timeline: timeline(measurements),
  };
}

const rows = [
  ["mean", "mean"],
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p999", "p99.9"],
  ["max", "max"],
] as const;

export function reportText(report: Report): string {
  const { rate, concurrency, latency, lateness, errors } = report;
  const model =
    rate === undefined ? counted(concurrency ?? 0, "concurrent request") : `${short(rate)} requests/s`;
  const warmUp = report.warmUp > 0 ? ` after ${short(report.warmUp)} s of warm-up` : "";
  const countWidth = Math.max(...errors.map((error) => whole(error.count).length));
  return [
    `${report.url}: ${model} for ${short(report.seconds)} s${warmUp}${report.isInterrupted ? ", interrupted" : ""}`,
    "",
    `succeeded   ${whole(report.answered)}, ${short(report.answeredPerSecond)}/s, ${report.megabytesPerSecond.toFixed(1)} MB/s`,
    `failed      ${whole(report.failed)}`,
    ...errors.map(
      ({ kind, count, example }) => `  ${kind.padEnd(11)}  ${whole(count).padStart(countWidth)}  ${example}`,
    ),
    ...(report.unfinished > 0 ? [`unfinished  ${whole(report.unfinished)}`] : []),
    ...(latency
      ? ["latency", ...rows.map(([key, name]) => `  ${name.padEnd(5)}  ${milliseconds(latency[key])}`)]
      : []),
    `this tool   busy ${Math.round(100 * report.busy)} % of the time` +
      (lateness
        ? `, sent ${short(lateness.p50)} ms late at p50, ${short(lateness.p99)} ms at p99, which latency includes`
        : ""),
    ...(report.busy > busyLimit ? ["            which may be the bottleneck: send fewer requests"] : []),
    "",
  ].join("\n");
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1).padStart(9)} ms`;
}
