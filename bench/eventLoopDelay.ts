/** Preloaded into a service, tells its parent how long the main thread's turns delayed others. */
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolution = 1;
const histogram = monitorEventLoopDelay({ resolution });
histogram.enable();

process.on("message", () => {
  // The histogram counts the timer's own wait as delay.
  const milliseconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  process.send?.({ p99: milliseconds(histogram.percentile(99)), most: milliseconds(histogram.max) });
  histogram.reset();
});
// Its parent is gone.
process.on("disconnect", () => process.kill(process.pid));
process.channel?.unref();
