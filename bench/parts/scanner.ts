import type { Bench } from "../bench.ts";
import { firstHere } from "../firstRequest.ts";
import { offsets, requests } from "../frames.ts";
import { inSequence } from "../measure.ts";
import { row, table } from "../row.ts";
import { run } from "../run.ts";
import { startSymbolServer } from "../servers.ts";

/** @indutny/breakpad, WebAssembly that reads the whole text for each lookup, beside a first request of the service. */
export async function scanner(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(569, 8));
  await using symbolServer = await startSymbolServer(symFile.symbols);
  const body = requests([symFile], 500)();
  const { here, scan } = await inSequence(bench.pick(3, 1), {
    here: () => firstHere(bench, `${symbolServer.address}/plain`, body),
    scan: () => run("scan.ts", [symFile.path, JSON.stringify(offsets(symFile, 500))]),
  });
  return table(
    [
      row("500 frames, text to answer", "ms", "milliseconds", here, scan),
      row("peak memory of the process", "MB", "megabytes", here, scan),
    ],
    "@indutny/breakpad",
  );
}
