import type { Measurements } from "./measurements.ts";
import { percentiles, type Percentiles } from "./percentiles.ts";

/** Requests with a due time in the same span. */
export interface Span {
  /** Its start in seconds; negative during the warm-up. */
  at: number;
  seconds: number;
  answered: number;
  failed: number;
  /** In milliseconds; absent if no request succeeded. */
  latency?: Percentiles;
}

const maxSpans = 100;
/** Average per span; percentiles of fewer requests mean little. */
const minRequests = 10;
const shortest = 0.1;
const lengths = [shortest, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** The run in equal spans, few enough for a plot; the first and the last may be shorter. */
export function timeline({ times, latencies, failureTimes }: Measurements): Span[] {
  const all = [...times, ...failureTimes];
  const begin = all.reduce((a, b) => Math.min(a, b), Infinity);
  const last = all.reduce((a, b) => Math.max(a, b), -Infinity);
  // Until the next request would have been due.
  const next = last + (last - begin) / Math.max(1, all.length - 1);
  const end = Math.max(next, begin + shortest);
  const least = (end - begin) * Math.max(1 / maxSpans, minRequests / all.length);
  const length = lengths.find((each) => each >= least) ?? least;

  const spans = new Map<number, { latencies: number[]; failed: number }>();
  const spanOf = (time: number) => {
    const index = Math.floor(time / length);
    const span = spans.get(index) ?? { latencies: [], failed: 0 };
    spans.set(index, span);
    return span;
  };
  for (const [row, time] of times.entries()) spanOf(time).latencies.push(latencies[row] ?? NaN);
  for (const time of failureTimes) spanOf(time).failed++;

  return [...spans]
    .toSorted(([a], [b]) => a - b)
    .map(([index, span]) => {
      const at = Math.max(index * length, begin);
      const seconds = Math.min((index + 1) * length, end) - at;
      const latency = percentiles(span.latencies);
      const counts = { answered: span.latencies.length, failed: span.failed };
      return { at, seconds, ...counts, ...(latency ? { latency } : {}) };
    });
}
