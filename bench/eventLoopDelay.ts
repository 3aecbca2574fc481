/** Preloaded into a service: measures the main thread's event-loop delay, and reports it to the parent on request. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolution = 1;
const histogram = monitorEventLoopDelay({ resolution });
histogram.enable();

process.on("message", () => {
  // The histogram includes the timer's own interval.
  const milliseconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  process.send?.({ p99: milliseconds(histogram.percentile(99)), max: milliseconds(histogram.max) });
  histogram.reset();
});
// The parent is gone.
process.on("disconnect", () => process.kill(process.pid));
process.channel?.unref();
