import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { answered } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { inSequence, median, times, type Measured } from "../measure.ts";
import { row, table, type Row } from "../row.ts";
import type { Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";

/** Requests for a module whose symcache is in the folder. */
export async function laterRequests(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  const few = requests([symFile], 500);
  const many = requests([symFile], bench.pick(60_000, 1000));
  const rounds = bench.pick(5, 1);
  await using folders = await prepareFolders(bench, symFile.symbols, few());
  const rows: Row[] = [];

  const restarted = await inSequence(rounds, {
    here: async () => {
      await using service = await folders.startHere();
      return await answered(service, few());
    },
    native: async () => {
      await using service = await folders.startNative();
      return service ? await answered(service, few()) : {};
    },
  });
  rows.push(row("first request after a restart", "ms", "milliseconds", restarted.here, restarted.native));

  await using hot = await folders.startHere();
  await using small = await folders.startHere("64mb");
  await using native = await folders.startNative();
  // What keeps being asked for is read into memory in the background.
  for (const service of [hot, small]) await times(30, () => service.post(few()));
  await setTimeout(bench.pick(3000, 100));
  const later = await inSequence(rounds, {
    hot: () => burst(hot, few, 20),
    small: () => burst(small, few, 20),
    native: () => burst(native, few, 2),
  });
  rows.push(row("later requests, 500 frames", "ms", "milliseconds", later.hot, later.native));
  rows.push(row("– with 64 MB of memory for lookups", "ms", "milliseconds", later.small, later.native));
  const large = await inSequence(rounds, {
    hot: () => burst(hot, many, 3),
    small: () => burst(small, many, 3),
    native: () => burst(native, many, 1),
  });
  const frames = bench.pick("60,000", "1,000");
  rows.push(row(`later requests, ${frames} frames`, "ms", "milliseconds", large.hot, large.native));
  rows.push(row("– with 64 MB of memory for lookups", "ms", "milliseconds", large.small, large.native));
  rows.push(
    row(
      "peak memory of the service until then",
      "MB",
      "megabytes",
      large.hot.slice(-1),
      large.native.slice(-1),
    ),
  );
  rows.push(
    row(
      "– with 64 MB of memory for lookups",
      "MB",
      "megabytes",
      large.small.slice(-1),
      large.native.slice(-1),
    ),
  );
  return table(rows, "native Symbolic");
}

/** The median of some requests in a row, each for other frames. */
async function burst(service: Service | undefined, next: () => string, count: number): Promise<Measured> {
  if (!service) return {};
  const bodies = Array.from({ length: count }, next);
  const milliseconds = median(await times(count, () => service.post(bodies.pop() ?? "")));
  return { milliseconds, megabytes: service.peakMegabytes() };
}
