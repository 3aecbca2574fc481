import { stat } from "node:fs/promises";
import { noS3Server, startS3Server } from "../../test/support/s3Server.ts";
import type { Bench } from "../bench.ts";
import { answered, firstHere } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { inSequence, report } from "../measure.ts";
import { row, table } from "../row.ts";
import { startSymbolServer, startTseliot } from "../servers.ts";

/** A request to an instance with an empty folder for a module that the shared cache has, beside converting it. */
export async function sharedCache(bench: Bench): Promise<string> {
  if (noS3Server) return `Not measured: it ${noS3Server}.`;
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using symbolServer = await startSymbolServer(symFile.symbols);
  await using store = await startS3Server();
  const symbols = `${symbolServer.address}/plain`;
  const body = requests([symFile], 500)();
  const key = `${symFile.debugFilename}/${symFile.debugId}`;
  const symcacheBytes = await fill(bench, { symbols, body, key }, store);
  const { here, converting } = await inSequence(bench.pick(5, 1), {
    here: () => firstHere(bench, symbols, body, store.settings),
    converting: () => firstHere(bench, symbols, body),
  });
  const { size } = await stat(store.pathOf(key));
  return table(
    [
      row("first request", "ms", "milliseconds", here, converting),
      row("– peak memory of the service", "MB", "megabytes", here, converting),
      row("– event-loop delay meanwhile, p99", "ms", "p99", here, converting),
      row("– event-loop delay meanwhile, most", "ms", "most", here, converting),
      { what: "bytes in the store, of the symcache's", unit: "bytes", here: [size], other: [symcacheBytes] },
    ],
    "converting",
  );
}

/** Lets an instance convert the module and put it into the store. Gives the size of the symcache. */
async function fill(
  bench: Bench,
  { symbols, body, key }: { symbols: string; body: string; key: string },
  store: Awaited<ReturnType<typeof startS3Server>>,
): Promise<number> {
  report("filling the store");
  await using folder = await bench.newFolder();
  await using service = await startTseliot({ symbols, folder: folder.path }, store.settings);
  await answered(service, body);
  await store.holds([key]);
  return (await stat(`${folder.path}/symcache-v1/${key}.symc`)).size;
}
