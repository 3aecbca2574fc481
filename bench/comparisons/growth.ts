import { writeFile } from "node:fs/promises";
import type { Bench } from "../bench.ts";
import { firstNativeRequest, firstTseliotRequest } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { interleave, median, times, type Runs, type Measured } from "../measure.ts";
import { plot, type Panel } from "../../loadTesting/plot.ts";
import { startSymbolServer, type Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";

interface Size {
  size: number;
  tseliot: Runs;
  native: Runs;
}

/** Plots time and memory by size of the sym file, and by number of frames. */
export async function growth(bench: Bench): Promise<string> {
  const bySize = await measureSymFiles(bench);
  const byFrames = await measureFrames(bench);
  if (!bench.quick) {
    await draw("performance-sym-file", "First request, by MB of sym file", bySize);
    await draw("performance-frames", "Later requests for 569 MB, by number of frames", byFrames);
  }
  return [
    "![First request by size of the sym file](performance-sym-file.svg)",
    "![Later requests by number of frames](performance-frames.svg)",
  ].join("\n\n");
}

async function measureSymFiles(bench: Bench): Promise<Size[]> {
  const sizes: Size[] = [];
  for (const size of bench.pick([50, 100, 300, 569, 1200], [2, 4])) {
    const symFile = await bench.libxul(size);
    await using symbolServer = await startSymbolServer(symFile.symbols);
    const symbols = `${symbolServer.address}/plain`;
    const body = requests([symFile], 500)();
    const runs = await interleave(bench.pick(2, 1), {
      tseliot: () => firstTseliotRequest(bench, symbols, body),
      native: () => firstNativeRequest(bench, symbols, body),
    });
    sizes.push({ size, ...runs });
  }
  return sizes;
}

async function measureFrames(bench: Bench): Promise<Size[]> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using folders = await prepareFolders(bench, symFile.symbols, requests([symFile], 500)());
  const sizes: Size[] = [];
  for (const size of bench.pick([1, 100, 10_000, 60_000], [1, 100])) {
    const next = requests([symFile], size);
    const runs = await interleave(bench.pick(3, 1), {
      tseliot: async () => measureLater(await folders.startTseliot(), next),
      native: async () => measureLater(await folders.startNative(), next),
    });
    sizes.push({ size, ...runs });
  }
  return sizes;
}

/** The median of three requests after three others, and the peak memory. Stops the service. */
async function measureLater(started: Service | undefined, next: () => string): Promise<Measured> {
  if (!started) return {};
  await using service = started;
  await times(3, () => service.post(next()));
  const bodies = Array.from({ length: 3 }, next);
  const milliseconds = median(await times(3, () => service.post(bodies.pop() ?? "")));
  return { milliseconds, megabytes: service.peakMegabytes() };
}

async function draw(name: string, title: string, sizes: Size[]): Promise<void> {
  const panel = (panelTitle: string, quantity: string): Panel => ({
    title: panelTitle,
    axes: "logarithmic",
    ticks: sizes.map(({ size }) => size),
    series: (["native", "tseliot"] as const).map((contender) => ({
      name: contender === "tseliot" ? contender : "native Symbolic",
      points: sizes.flatMap(({ size, [contender]: runs }) => {
        const y = median(runs.map((run) => run[quantity] ?? NaN));
        return Number.isNaN(y) ? [] : [{ x: size, y }];
      }),
    })),
  });
  const svg = plot(title, [panel("time, ms", "milliseconds"), panel("peak memory, MB", "megabytes")]);
  await writeFile(new URL(`../../docs/${name}.svg`, import.meta.url), svg);
}
