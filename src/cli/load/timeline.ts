import type { Measurements } from "./measurements.ts";
import { percentiles, type Percentiles } from "./percentiles.ts";

/** Requests that were to be sent in the same span of time. */
export interface Span {
  /** Where it begins, in seconds: below zero while warming up. */
  at: number;
  seconds: number;
  answered: number;
  failed: number;
  /** In milliseconds; absent where nothing was answered. */
  latency?: Percentiles;
}

const mostSpans = 100;
/** Fewer requests than these on average say little of a span. */
const leastRequests = 20;
const lengths = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** The whole time in equal spans, so many that a plot can show them. */
export function timeline({ times, latencies, failureTimes }: Measurements): Span[] {
  const all = [...times, ...failureTimes];
  const begin = all.reduce((a, b) => Math.min(a, b), Infinity);
  const end = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const leastSeconds = Math.max((end - begin) / mostSpans, ((end - begin) * leastRequests) / all.length);
  const seconds = lengths.find((length) => length >= leastSeconds) ?? leastSeconds;
  const spans = new Map<number, { latencies: number[]; failed: number }>();
  const spanOf = (at: number) => {
    const number = Math.floor(at / seconds);
    const span = spans.get(number) ?? { latencies: [], failed: 0 };
    spans.set(number, span);
    return span;
  };
  for (const [index, at] of times.entries()) spanOf(at).latencies.push(latencies[index] ?? NaN);
  for (const at of failureTimes) spanOf(at).failed++;
  return [...spans]
    .toSorted(([a], [b]) => a - b)
    .map(([number, { latencies: inSpan, failed }]) => {
      const latency = percentiles(inSpan);
      const counts = { answered: inSpan.length, failed };
      return { at: number * seconds, seconds, ...counts, ...(latency ? { latency } : {}) };
    });
}
