import { availableParallelism } from "node:os";
import type { Bench } from "../bench.ts";
import { requests } from "../frames.ts";
import { interleave, report, type Measured } from "../measure.ts";
import { table } from "../row.ts";
import type { Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";
import { writeSymFiles } from "../symFile.ts";

const megabytes = [1, 2, 4, 6, 9, 13, 18, 25, 35, 50];
const clientCount = 10;

/** Ten concurrent clients; each request has frames in ten modules. */
export async function clients(bench: Bench): Promise<string> {
  report("writing ten sym files");
  const symbols = `${bench.symbols}/ten`;
  const symFiles = writeSymFiles(
    symbols,
    megabytes.map((size) => bench.pick(size, size / 10)),
  );
  const next = requests(symFiles, 50);
  await using folders = await prepareFolders(bench, symbols, next());
  await using tseliot = await folders.startTseliot();
  await using native = await folders.startNative(availableParallelism());
  const seconds = bench.pick(5, 0.5);
  await load(tseliot, next, seconds);
  const runs = await interleave(bench.pick(3, 1), {
    tseliot: () => load(tseliot, next, seconds),
    native: () => load(native, next, seconds),
  });
  const rates = (measured: Measured[]) => measured.map(({ rate = NaN }) => rate);
  const label = "ten clients, 500 frames in ten modules of 1–50 MB";
  const other = native ? rates(runs.native) : [];
  return table(
    [{ label, unit: "requests/s", tseliot: rates(runs.tseliot), other, higherIsBetter: true }],
    "native Symbolic, a process for each core",
  );
}

async function load(service: Service | undefined, next: () => string, seconds: number): Promise<Measured> {
  if (!service) return {};
  const bodies = Array.from({ length: 100 }, next);
  const start = performance.now();
  let responses = 0;
  const client = async () => {
    while (performance.now() - start < seconds * 1000)
      await service.post(bodies[responses++ % bodies.length] ?? "");
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  return { rate: responses / ((performance.now() - start) / 1000) };
}
