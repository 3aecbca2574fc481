import type { Bench } from "../bench.ts";
import { firstTseliotRequest, firstNativeRequest } from "../firstRequest.ts";
import { requests } from "../frames.ts";
import { interleave } from "../measure.ts";
import { row, table, type Row } from "../row.ts";
import { startSymbolServer } from "../servers.ts";

/** A request for a module that is not in the cache folder: download, conversion and lookup. */
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
    const { tseliot, native } = await interleave(bench.pick(3, 1), {
      tseliot: () => firstTseliotRequest(bench, symbols, body),
      native: () => firstNativeRequest(bench, symbols, body),
    });
    rows.push(
      row(`first request, ${download} download`, "ms", "milliseconds", tseliot, native),
      row("– peak memory of the service", "MB", "megabytes", tseliot, native),
      row("– event-loop delay, p99", "ms", "p99", tseliot),
      row("– event-loop delay, maximum", "ms", "max", tseliot),
    );
  }
  return table(rows, "native Symbolic");
}
