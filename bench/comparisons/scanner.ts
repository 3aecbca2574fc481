import type { Bench } from "../bench.ts";
import { firstTseliotRequest } from "../firstRequest.ts";
import { offsets, requests } from "../frames.ts";
import { interleave } from "../measure.ts";
import { row, table } from "../row.ts";
import { run } from "../run.ts";
import { startSymbolServer } from "../servers.ts";

/** The first request, beside @indutny/breakpad, which scans the whole text for each request. */
export async function scanner(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using symbolServer = await startSymbolServer(symFile.symbols);
  const body = requests([symFile], 500)();
  const { tseliot, scan } = await interleave(bench.pick(3, 1), {
    tseliot: () => firstTseliotRequest(bench, `${symbolServer.address}/plain`, body),
    scan: () => run("scan.ts", [symFile.path, JSON.stringify(offsets(symFile, 500))]),
  });
  return table(
    [
      row("500 frames, from text to response", "ms", "milliseconds", tseliot, scan),
      row("peak memory of the process", "MB", "megabytes", tseliot, scan),
    ],
    "@indutny/breakpad",
  );
}
