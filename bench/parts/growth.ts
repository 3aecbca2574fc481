import { writeFile } from "node:fs/promises";
import type { Bench } from "../bench.ts";
import { firstHere, firstNative } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { inSequence, median, times, type Goes, type Measured } from "../measure.ts";
import { plot, type Panel } from "../../src/cli/plot.ts";
import { short } from "../../src/cli/numberText.ts";
import { row, table, type Row } from "../row.ts";
import { startSymbolServer, type Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";

interface Size {
  size: number;
  here: Goes;
  native: Goes;
}
type Grown = Size[];

/** Time and memory as the sym file and the number of frames grow. */
export async function growth(bench: Bench): Promise<string> {
  const bySize = await withSymFile(bench);
  const byFrames = await withFrames(bench);
  if (!bench.quick) {
    await draw("performance-sym-file", "First request, by MB of sym file", bySize);
    await draw("performance-frames", "Later requests for 569 MB, by number of frames", byFrames);
  }
  return table(
    [
      ...bySize.flatMap((grown) => rows(`first request, sym file of ${grown.size} MB`, grown)),
      ...byFrames.flatMap((grown) => rows(`later request, ${short(grown.size)} frames`, grown)),
    ],
    "native Symbolic",
  );
}

async function withSymFile(bench: Bench): Promise<Grown> {
  const grown: Grown = [];
  for (const size of bench.pick([50, 100, 300, 569, 1200], [2, 4])) {
    const symFile = await bench.libxul(size);
    await using symbolServer = await startSymbolServer(symFile.symbols);
    const symbols = `${symbolServer.address}/plain`;
    const body = requests([symFile], 500)();
    const goes = await inSequence(bench.pick(2, 1), {
      here: () => firstHere(bench, symbols, body),
      native: () => firstNative(bench, symbols, body),
    });
    grown.push({ size, ...goes });
  }
  return grown;
}

async function withFrames(bench: Bench): Promise<Grown> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using folders = await prepareFolders(bench, symFile.symbols, requests([symFile], 500)());
  const grown: Grown = [];
  for (const size of bench.pick([1, 100, 10_000, 60_000], [1, 100])) {
    const next = requests([symFile], size);
    const goes = await inSequence(bench.pick(3, 1), {
      here: async () => later(await folders.startHere(), next),
      native: async () => later(await folders.startNative(), next),
    });
    grown.push({ size, ...goes });
  }
  return grown;
}

/** The median of three requests to a service that has answered three others, and the service's end. */
async function later(started: Service | undefined, next: () => string): Promise<Measured> {
  if (!started) return {};
  await using service = started;
  await times(3, () => service.post(next()));
  const bodies = Array.from({ length: 3 }, next);
  const milliseconds = median(await times(3, () => service.post(bodies.pop() ?? "")));
  return { milliseconds, megabytes: service.peakMegabytes() };
}

function rows(what: string, { here, native }: Size): Row[] {
  return [
    row(what, "ms", "milliseconds", here, native),
    row("– peak memory of the service", "MB", "megabytes", here, native),
  ];
}

async function draw(name: string, title: string, grown: Grown): Promise<void> {
  const panel = (panelTitle: string, quantity: string): Panel => ({
    title: panelTitle,
    axes: "logarithmic",
    ticks: grown.map(({ size }) => size),
    series: (["native", "here"] as const).map((contender) => ({
      name: contender === "here" ? "tseliot" : "native Symbolic",
      points: grown.flatMap(({ size, [contender]: goes }) => {
        const y = median(goes.map((go) => go[quantity] ?? NaN));
        return Number.isNaN(y) ? [] : [{ x: size, y }];
      }),
    })),
  });
  const svg = plot(title, [panel("time, ms", "milliseconds"), panel("peak memory, MB", "megabytes")]);
  await writeFile(new URL(`../../docs/${name}.svg`, import.meta.url), svg);
}
