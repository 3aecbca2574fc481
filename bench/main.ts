/**
 * Measures the service beside others: `npm run bench -- [--quick] [PART…]`.
 * It writes the tables and plots of the parts into docs/performance.md; with --quick, where everything is small, it
 * only shows them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { report } from "./measure.ts";
import { clients } from "./parts/clients.ts";
import { crashPings } from "./parts/crashPings.ts";
import { conversion } from "./parts/conversion.ts";
import { firstRequests } from "./parts/firstRequests.ts";
import { growth } from "./parts/growth.ts";
import { laterRequests } from "./parts/laterRequests.ts";
import { sharedCache } from "./parts/sharedCache.ts";
import { scanner } from "./parts/scanner.ts";
import { machine, writeInto } from "./page.ts";
import { installNativeSymbolic } from "./python.ts";

const parts: Record<string, (bench: Bench) => Promise<string>> = {
  conversion,
  "first-requests": firstRequests,
  "later-requests": laterRequests,
  clients,
  "shared-cache": sharedCache,
  "crash-pings": crashPings,
  scanner,
  growth,
};
const page = new URL("../docs/performance.md", import.meta.url);

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0)
  throw new Error(`no part is called ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}`);

const folder = await mkdtemp(join(tmpdir(), "tseliot-bench-"));
try {
  const bench = new Bench(values.quick, folder, await installNativeSymbolic(folder));
  for (const name of wanted) {
    const table = await parts[name]?.(bench);
    report("");
    console.log(`\n${name}, ${machine()}\n\n${table}`);
    if (!bench.quick) await writeInto(page, name, `${machine()}\n\n${table}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
