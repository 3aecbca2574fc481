/**
 * Generates the parts of the documentation between `<!-- generated: NAME -->` and `<!-- end -->` from the code.
 * With --check it writes nothing, and fails if a page is out of date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { withGenerated } from "../bench/page.ts";
import { openApi } from "../openapi/document.ts";
import { referencePage } from "../openapi/referencePage.ts";
import { createProgram } from "../src/cli/program.ts";
import { allSettings, readConfig } from "../src/config/readConfig.ts";
import { retryPolicy } from "../src/config/retryPolicy.ts";
import { catalogue } from "../src/observability/metrics.ts";
import { retryTable, worstCases } from "./retryTable.ts";

const root = new URL("../", import.meta.url);

const sectionTitles = {
  server: "Server",
  sources: "Sources",
  diskCache: "Disk cache",
  conversion: "Conversion",
  lookup: "Lookup",
  sharedCache: "Shared cache",
  observability: "Observability",
};

function configurationTable(): string {
  const rows = allSettings.map(({ section, variable, defaultText, meaning }, index) => {
    const isFirst = allSettings[index - 1]?.section !== section;
    const title = isFirst ? `| **${sectionTitles[section]}** | | |\n` : "";
    return `${title}| \`${variable}\` | ${defaultText === "" ? "" : `\`${defaultText}\``} | ${meaning} |`;
  });
  return ["| variable | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function metricsTable(): string {
  const rows = Object.entries(catalogue).map(
    ([name, { type, tags, meaning }]) =>
      `| \`eliot.${name}\` | ${type} | ${tags.map((tag) => `\`${tag}\``).join(", ")} | ${meaning} |`,
  );
  return ["| metric | type | tags besides `host` | meaning |", "| --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** How often each step of a cache miss is tried, and how long that can take. */
function retries(): string {
  const config = readConfig({ ELIOT_SHARED_CACHE_URL: "s3://bucket" });
  const rows = retryTable(config).map(
    ({ step, attempts, timeoutMs, retriedAfter }) =>
      `| ${step} | ${timeoutMs === undefined ? "" : duration(timeoutMs)} | ${attempts} | ${retriedAfter} |`,
  );
  const { unreachableMs, silentMs, tricklingMs, everythingMs } = worstCases(config);
  const { source, store } = retryPolicy;
  const { breakerCooldownMs, notFoundTtlMs, downloadFailedTtlMs } = config.sources;
  const table = ["| step | time limit | attempts | retried after |", "| --- | --- | --- | --- |", ...rows];
  return `${table.join("\n")}

- A source that fails ${source.failuresToOpenCircuit} times in a row is skipped for ${duration(breakerCooldownMs)}, the shared cache after ${store.failuresToOpenCircuit} failures. Then one request probes it.
- A missing or unusable sym file is remembered for ${duration(notFoundTtlMs)}, a failed download for ${duration(downloadFailedTtlMs)}.
- A source costs a module at most ${duration(unreachableMs)} if it is unreachable, ${duration(silentMs)} if it never responds, and ${duration(tricklingMs)} if it sends a byte at a time.
- If every step of every attempt uses up its limit, a module takes ${duration(everythingMs)} with one source, plus the time in queues and slow writes.`;
}

function duration(ms: number): string {
  return ms <= 120_000 ? `${ms / 1000} s` : `${Math.ceil(ms / 60_000)} min`;
}

/** The output of `tseliot COMMAND --help`, or of `tseliot --help`. */
function help(name: string): string {
  const program = createProgram({});
  const command = program.commands.find((candidate) => candidate.name() === name) ?? program;
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

const sections: Record<string, () => string> = {
  configuration: configurationTable,
  metrics: metricsTable,
  retries,
  help: () => help(""),
  ...Object.fromEntries(
    createProgram({}).commands.map((command) => [`help ${command.name()}`, () => help(command.name())]),
  ),
};

for (const name of ["docs/operations.md", "docs/cli.md"]) {
  const page = await readFile(new URL(name, root), "utf8");
  const generated = [...page.matchAll(/<!-- generated: ([\w ]+) -->/g)].reduce(
    (text, [, section = ""]) => withGenerated(text, section, textOf(section, name)),
    page,
  );
  await update(name, page, generated);
}
for (const [name, generated] of [
  ["web/openapi.json", `${JSON.stringify(openApi, null, 2)}\n`],
  ["web/docs.html", referencePage(openApi)],
] as const)
  await update(name, await readFile(new URL(name, root), "utf8").catch(() => ""), generated);

async function update(name: string, current: string, generated: string): Promise<void> {
  if (generated === current) return;
  if (process.argv.includes("--check")) {
    console.error(`${name} is out of date: run "npm run docs"`);
    process.exitCode = 1;
  } else await writeFile(new URL(name, root), generated);
}

function textOf(section: string, page: string): string {
  const generate = sections[section];
  if (!generate) throw new Error(`${page}: nothing generates the section "${section}"`);
  return generate();
}
