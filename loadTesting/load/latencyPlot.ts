import { plot, type Panel } from "../plot.ts";
import type { Report } from "./report.ts";
import type { Span } from "./timeline.ts";

const width = 800;
const maxTicks = 12;
const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 86_400];

/** An SVG of latency and throughput over time. The warm-up is before 0. */
export function latencyPlot({ url, timeline }: Report): string {
  const ticks = ticksOf(timeline);
  const line = (name: string, value: (span: Span) => number | undefined) => ({
    name,
    points: timeline.flatMap((span) => {
      const y = value(span);
      return y === undefined ? [] : [{ x: span.at + span.seconds / 2, y }];
    }),
  });
  const latency: Panel = {
    title: "latency in ms over time in s; the warm-up is before 0",
    axes: "semi-logarithmic",
    ticks,
    series: [
      line("max", (span) => span.latency?.max),
      line("p99", (span) => span.latency?.p99),
      line("p50", (span) => span.latency?.p50),
    ],
  };
  const throughput: Panel = {
    title: "requests per second, by the time at which they were due",
    axes: "linear",
    ticks,
    series: [
      line("failed", ({ failed, seconds }) => failed / seconds),
      line("answered", ({ answered, seconds }) => answered / seconds),
    ],
  };
  const isAnswered = timeline.some((span) => span.latency);
  return plot(`Latency of ${url}`, isAnswered ? [latency, throughput] : [throughput], 1, width);
}

function ticksOf(timeline: Span[]): number[] {
  const [begin, end] = [timeline[0]?.at ?? 0, (timeline.at(-1)?.at ?? 0) + (timeline.at(-1)?.seconds ?? 1)];
  const step = steps.find((length) => (end - begin) / length < maxTicks) ?? (end - begin) / maxTicks;
  const [first, last] = [Math.floor(begin / step), Math.ceil(end / step)];
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}
