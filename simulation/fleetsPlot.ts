import { plot, type Panel } from "../src/cli/plot.ts";
import type { Figures } from "./fleet.ts";
import { fleetSizes, type Run } from "./scenarios.ts";

/** An SVG of what fleets cost, by the number of instances. With both, hashing and a store, it is about as with the store. */
export function fleetsPlot(runs: Run[]): string {
  const panel = (title: string, value: (figures: Figures) => number): Panel => {
    const line = (name: string, hashed: boolean, stored: boolean) => ({
      name,
      points: runs
        .filter((run) => run.hashed === hashed && run.stored === stored)
        .map(({ instances, figures }) => ({ x: instances, y: value(figures) })),
    });
    return {
      title: `${title}, by instances`,
      axes: "logarithmic",
      ticks: fleetSizes,
      series: [line("neither", false, false), line("hashing", true, false), line("store", false, true)],
    };
  };
  return plot("What a fleet does for the same requests", [
    panel("thousand conversions", ({ conversions }) => conversions / 1000),
    panel("GB from the symbol server", ({ bytesFromSource }) => bytesFromSource / 1e9),
    panel("p99 of time to answer in ms", ({ p99 }) => p99 * 1000),
  ]);
}
