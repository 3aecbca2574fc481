import { short, whole } from "../numberText.ts";
import type { Measurements } from "./measurements.ts";
import { percentiles, type Percentiles } from "./percentiles.ts";
import type { Plan } from "./plan.ts";
import { timeline, type Span } from "./timeline.ts";

/** What a run came to. Times are in seconds, latencies and lateness in milliseconds; warming up counts only in the timeline. */
export interface Report {
  url: string;
  /** How many different requests were sent in turn. */
  requests: number;
  rate?: number;
  concurrency?: number;
  warmUp: number;
  /** From the end of warming up to the last answer, or to when the next request would have been sent. */
  seconds: number;
  isInterrupted: boolean;
  answered: number;
  failed: number;
  /** Under way when it was interrupted. */
  unfinished: number;
  answeredPerSecond: number;
  megabytesPerSecond: number;
  /** Of what was answered, from the moment when the request should be sent; absent where nothing was. */
  latency?: Percentiles;
  errors: { kind: string; count: number; example: string }[];
  /** Of this tool: how much later than it should it sent requests, and which part of the time its thread was busy. */
  lateness?: Percentiles;
  busy: number;
  timeline: Span[];
}

/** Above it, the tool's own work may be what takes so long. */
const tooBusy = 0.8;

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
    rate === undefined
      ? `${whole(concurrency ?? 0)} under way at a time`
      : `${short(rate)} arriving a second`;
  const warmUp = report.warmUp > 0 ? ` after ${short(report.warmUp)} s of warm-up` : "";
  const mostDigits = Math.max(...errors.map((error) => whole(error.count).length));
  return [
    `${report.url}: ${model} for ${short(report.seconds)} s${warmUp}${report.isInterrupted ? ", interrupted" : ""}`,
    "",
    `answered    ${whole(report.answered)}, ${short(report.answeredPerSecond)} a second, ${report.megabytesPerSecond.toFixed(1)} MB/s`,
    `failed      ${whole(report.failed)}`,
    ...errors.map(
      ({ kind, count, example }) => `  ${kind.padEnd(11)}  ${whole(count).padStart(mostDigits)}  ${example}`,
    ),
    ...(report.unfinished > 0 ? [`unfinished  ${whole(report.unfinished)}`] : []),
    ...(latency
      ? ["latency", ...rows.map(([key, name]) => `  ${name.padEnd(5)}  ${milliseconds(latency[key])}`)]
      : []),
    `this tool   busy ${Math.round(100 * report.busy)} % of the time` +
      (lateness
        ? `, sent late by ${short(lateness.p50)} ms at p50, ${short(lateness.p99)} ms at p99, which latency contains`
        : ""),
    ...(report.busy > tooBusy ? ["            so latency may be its own: send less"] : []),
    "",
  ].join("\n");
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1).padStart(9)} ms`;
}
