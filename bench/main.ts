/**
 * Measures the service beside others: `npm run bench -- [--quick] [PART…]`.
 * It writes the tables and plots of the parts into docs/performance.md; with --quick, where everything is small, it
 * only shows them.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { report } from "./measure.ts";
import { clients } from "./parts/clients.ts";
import { conversion } from "./parts/conversion.ts";
import { firstRequests } from "./parts/firstRequests.ts";
import { growth } from "./parts/growth.ts";
import { laterRequests } from "./parts/laterRequests.ts";
import { scanner } from "./parts/scanner.ts";
import { installNativeSymbolic } from "./python.ts";

const parts: Record<string, (bench: Bench) => Promise<string>> = {
  conversion,
  "first-requests": firstRequests,
  "later-requests": laterRequests,
  clients,
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

/** Puts text between `<!-- generated: NAME -->` and `<!-- end -->`. */
async function writeInto(file: URL, name: string, text: string): Promise<void> {
  const before = await readFile(file, "utf8");
  const start = `<!-- generated: ${name} -->\n`;
  const from = before.indexOf(start) + start.length;
  const to = before.indexOf("<!-- end -->", from);
  if (from < start.length || to < 0) throw new Error(`${file.pathname} has no place for ${name}`);
  await writeFile(file, `${before.slice(0, from)}\n${text}\n\n${before.slice(to)}`);
}

function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${processors.length} × ${model}, ${memory} GB, Linux ${release()}, Node ${process.version}`;
}
