import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { measureRequest } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { interleave, median, times, type Measured, type Runs } from "../measure.ts";
import { row, table } from "../row.ts";
import type { Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";

/** Requests for a module whose symcache is in the cache folder. */
export async function laterRequests(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  const few = requests([symFile], 500);
  const many = requests([symFile], bench.pick(60_000, 1000));
  const rounds = bench.pick(5, 1);
  await using folders = await prepareFolders(bench, symFile.symbols, few());

  const restarted = await interleave(rounds, {
    tseliot: async () => {
      await using service = await folders.startTseliot();
      return await measureRequest(service, few());
    },
    native: async () => {
      await using service = await folders.startNative();
      return service ? await measureRequest(service, few()) : {};
    },
  });

  await using hot = await folders.startTseliot();
  await using small = await folders.startTseliot("64mb");
  await using native = await folders.startNative();
  // Symcaches that are used repeatedly are read into memory in the background.
  for (const service of [hot, small]) await times(30, () => service.post(few()));
  await setTimeout(bench.pick(3000, 100));
  const later = await interleave(rounds, {
    hot: () => burst(hot, few, 20),
    small: () => burst(small, few, 20),
    native: () => burst(native, few, 2),
  });
  const large = await interleave(rounds, {
    hot: () => burst(hot, many, 3),
    small: () => burst(small, many, 3),
    native: () => burst(native, many, 1),
  });
  const frames = bench.pick("60,000", "1,000");
  const limited = "– with 64 MB of memory for lookups";
  const memory = (label: string, tseliot: Runs) =>
    row(label, "MB", "megabytes", tseliot.slice(-1), large.native.slice(-1));
  return table(
    [
      row("first request after a restart", "ms", "milliseconds", restarted.tseliot, restarted.native),
      row("later requests, 500 frames", "ms", "milliseconds", later.hot, later.native),
      row(limited, "ms", "milliseconds", later.small, later.native),
      row(`later requests, ${frames} frames`, "ms", "milliseconds", large.hot, large.native),
      row(limited, "ms", "milliseconds", large.small, large.native),
      memory("peak memory of the service", large.hot),
      memory(limited, large.small),
    ],
    "native Symbolic",
  );
}

/** The median of sequential requests, each with other frames. */
async function burst(service: Service | undefined, next: () => string, count: number): Promise<Measured> {
  if (!service) return {};
  const bodies = Array.from({ length: count }, next);
  const milliseconds = median(await times(count, () => service.post(bodies.pop() ?? "")));
  return { milliseconds, megabytes: service.peakMegabytes() };
}
