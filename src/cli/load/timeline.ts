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
const leastRequests = 10;
const shortest = 0.1;
const lengths = [shortest, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** The whole time in equal spans, so many that a plot can show them; the first and the last may be shorter. */
export function timeline({ times, latencies, failureTimes }: Measurements): Span[] {
  const all = [...times, ...failureTimes];
  const begin = all.reduce((a, b) => Math.min(a, b), Infinity);
  const last = all.reduce((a, b) => Math.max(a, b), -Infinity);
  // Up to when the next one would have been sent.
  const next = last + (last - begin) / Math.max(1, all.length - 1);
  const end = Math.max(next, begin + shortest);
  const least = (end - begin) * Math.max(1 / mostSpans, leastRequests / all.length);
  const length = lengths.find((each) => each >= least) ?? least;

  const spans = new Map<number, { latencies: number[]; failed: number }>();
  const spanOf = (time: number) => {
    const number = Math.floor(time / length);
    const span = spans.get(number) ?? { latencies: [], failed: 0 };
    spans.set(number, span);
    return span;
  };
  for (const [index, time] of times.entries()) spanOf(time).latencies.push(latencies[index] ?? NaN);
  for (const time of failureTimes) spanOf(time).failed++;

  return [...spans]
    .toSorted(([a], [b]) => a - b)
    .map(([number, span]) => {
      const at = Math.max(number * length, begin);
      const seconds = Math.min((number + 1) * length, end) - at;
      const latency = percentiles(span.latencies);
      const counts = { answered: span.latencies.length, failed: span.failed };
      return { at, seconds, ...counts, ...(latency ? { latency } : {}) };
    });
}
