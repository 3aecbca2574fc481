/**
 * Compares the service with others: `npm run bench -- [--quick] [COMPARISON…]`.
 * It writes tables and plots to docs/performance.md. With --quick, inputs are small and it only prints the tables.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { report } from "./measure.ts";
import { clients } from "./comparisons/clients.ts";
import { crashPings } from "./comparisons/crashPings.ts";
import { compression } from "./comparisons/compression.ts";
import { conversion } from "./comparisons/conversion.ts";
import { firstRequests } from "./comparisons/firstRequests.ts";
import { growth } from "./comparisons/growth.ts";
import { laterRequests } from "./comparisons/laterRequests.ts";
import { sharedCache } from "./comparisons/sharedCache.ts";
import { scanner } from "./comparisons/scanner.ts";
import { machine, writeInto } from "./page.ts";
import { installNativeSymbolic } from "./python.ts";

const comparisons: Record<string, (bench: Bench) => Promise<string>> = {
  conversion,
  "first-requests": firstRequests,
  "later-requests": laterRequests,
  clients,
  compression,
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
const selected = positionals.length > 0 ? positionals : Object.keys(comparisons);
const unknown = selected.filter((name) => !Object.hasOwn(comparisons, name));
if (unknown.length > 0)
  throw new Error(
    `unknown comparison: ${unknown.join(", ")} (one of ${Object.keys(comparisons).join(", ")})`,
  );

const folder = await mkdtemp(join(tmpdir(), "tseliot-bench-"));
try {
  const bench = new Bench(values.quick, folder, await installNativeSymbolic(folder));
  for (const name of selected) {
    const table = await comparisons[name]?.(bench);
    report("");
    console.log(`\n${name}, ${machine()}\n\n${table}`);
    if (!bench.quick) await writeInto(page, name, `${machine()}\n\n${table}`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
