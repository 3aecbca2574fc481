import type { Bench } from "../bench.ts";
import { firstHere, firstNative } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { inSequence } from "../measure.ts";
import { row, table, type Row } from "../row.ts";
import { startSymbolServer } from "../servers.ts";

/** A request for a module that is not in the folder: download, conversion and lookup. */
export async function firstRequests(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(569, 8), true);
  await using symbolServer = await startSymbolServer(symFile.symbols);
  const next = requests([symFile], 500);
  const rows: Row[] = [];
  for (const [path, download] of [
    ["plain", "uncompressed"],
    ["gzip", "gzipped"],
  ]) {
    const symbols = `${symbolServer.address}/${path}`;
    const body = next();
    const { here, native } = await inSequence(bench.pick(3, 1), {
      here: () => firstHere(bench, symbols, body),
      native: () => firstNative(bench, symbols, body),
    });
    rows.push(
      row(`first request, ${download} download`, "ms", "milliseconds", here, native),
      row("– peak memory of the service", "MB", "megabytes", here, native),
      row("– event-loop delay meanwhile, p99", "ms", "p99", here),
      row("– event-loop delay meanwhile, most", "ms", "most", here),
    );
  }
  return table(rows, "native Symbolic");
}
