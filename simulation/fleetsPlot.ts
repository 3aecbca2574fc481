import { plot, type Panel } from "../loadTesting/plot.ts";
import type { Result } from "./fleet.ts";
import { fleetSizes, type Run } from "./scenarios.ts";

/** An SVG of results by fleet size. Hashing with a shared cache is left out: it is close to the shared cache alone. */
export function fleetsPlot(runs: Run[]): string {
  const panel = (title: string, value: (result: Result) => number): Panel => {
    const line = (name: string, hashing: boolean, sharing: boolean) => ({
      name,
      points: runs
        .filter((run) => run.hashing === hashing && run.sharing === sharing)
        .map(({ instances, result }) => ({ x: instances, y: value(result) })),
    });
    return {
      title: `${title}, by instances`,
      axes: "logarithmic",
      ticks: fleetSizes,
      series: [
        line("neither", false, false),
        line("hashing", true, false),
        line("shared cache", false, true),
      ],
    };
  };
  return plot("The same requests, by fleet size", [
    panel("thousand conversions", ({ conversions }) => conversions / 1000),
    panel("GB from symbol server", ({ downloadedBytes }) => downloadedBytes / 1e9),
    panel("response time p99 in ms", ({ p99 }) => p99 * 1000),
  ]);
}
