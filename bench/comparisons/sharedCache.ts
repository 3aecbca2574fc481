import { stat } from "node:fs/promises";
import { noS3Server, startS3Server } from "../../test/support/s3Server.ts";
import type { Bench } from "../bench.ts";
import { measureRequest, firstTseliotRequest } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { interleave, report } from "../measure.ts";
import { row, table } from "../row.ts";
import { startSymbolServer, startTseliot } from "../servers.ts";

/** The first request to an instance with an empty folder, if the shared cache has the module and without one. */
export async function sharedCache(bench: Bench): Promise<string> {
  if (noS3Server) return `Not measured: it ${noS3Server}.`;
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using symbolServer = await startSymbolServer(symFile.symbols);
  await using store = await startS3Server();
  const symbols = `${symbolServer.address}/plain`;
  const body = requests([symFile], 500)();
  const key = `${symFile.debugFilename}/${symFile.debugId}`;
  const symcacheBytes = await fill(bench, { symbols, body, key }, store);
  const { tseliot, converting } = await interleave(bench.pick(5, 1), {
    tseliot: () => firstTseliotRequest(bench, symbols, body, store.settings),
    converting: () => firstTseliotRequest(bench, symbols, body),
  });
  const { size } = await stat(store.pathOf(key));
  return table(
    [
      row("first request", "ms", "milliseconds", tseliot, converting),
      row("– peak memory of the service", "MB", "megabytes", tseliot, converting),
      row("– event-loop delay, p99", "ms", "p99", tseliot, converting),
      row("– event-loop delay, maximum", "ms", "max", tseliot, converting),
      {
        label: "bytes in the store, beside the symcache's",
        unit: "bytes",
        tseliot: [size],
        other: [symcacheBytes],
      },
    ],
    "converting",
  );
}

/** Lets an instance convert and upload the module, and returns the size of the symcache. */
async function fill(
  bench: Bench,
  { symbols, body, key }: { symbols: string; body: string; key: string },
  store: Awaited<ReturnType<typeof startS3Server>>,
): Promise<number> {
  report("filling the store");
  await using folder = await bench.newFolder();
  await using service = await startTseliot({ symbols, folder: folder.path }, store.settings);
  await measureRequest(service, body);
  await store.holds([key]);
  return (await stat(`${folder.path}/symcache-v1/${key}.symc`)).size;
}
