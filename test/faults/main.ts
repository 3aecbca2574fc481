/**
 * Runs all fault tests with full counts: `npm run test:faults -- [--scale FACTOR] [--seed N] [FILE…]`.
 * With the full scale it writes the results of these files to docs/reliability.md; otherwise it only prints them.
 */
import { readdir, readFile } from "node:fs/promises";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { report } from "../../bench/measure.ts";
import { machine, writeInto } from "../../bench/page.ts";

interface Section {
  passed: number;
  failed: string[];
  skipped: number;
  counted: string[];
  milliseconds: number;
}

const page = new URL("../../docs/reliability.md", import.meta.url);
const suffix = ".test.ts";
const { values, positionals } = parseArgs({
  options: { scale: { type: "string", default: "1" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});
process.env["FAULTS_SCALE"] = values.scale;
process.env["FAULTS_SEED"] = values.seed;

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = (await readdir(folder)).filter((name) => name.endsWith(suffix)).toSorted();
const selected = names.filter(
  (name) => positionals.length === 0 || positionals.includes(name.slice(0, -suffix.length)),
);
const sections = new Map<string, Section>();
for (const name of selected) sections.set(name.slice(0, -suffix.length), await runFile(name));

const rows = new Map(await rowsOf(page));
for (const [name, { passed, failed, skipped, counted, milliseconds }] of sections) {
  const minutes = (milliseconds / 60_000).toFixed(1);
  const cells = [name, passed + failed.length, failed.length, skipped, minutes, counted.join("; ")];
  rows.set(name, `| ${cells.join(" | ")} |`);
}
const text = [
  `${machine()}, seed ${values.seed}\n`,
  "| file | cases | failed | skipped | minutes | measured |",
  "| --- | --- | --- | --- | --- | --- |",
  ...[...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row),
].join("\n");
report("");
console.log(text);
for (const { failed } of sections.values()) for (const name of failed) console.log(`failed: ${name}`);
if (values.scale === "1") await writeInto(page, "faults", text);
process.exitCode = [...sections.values()].some(({ failed }) => failed.length > 0) ? 1 : 0;

/** The rows of the page so far, by file. */
async function rowsOf(file: URL): Promise<[string, string][]> {
  const [, generated = ""] =
    /<!-- generated: faults -->([^]*?)<!-- end -->/.exec(await readFile(file, "utf8")) ?? [];
  const found = generated.split("\n").map((row): [string, string] => [row.split(" ")[1] ?? "", row]);
  return found.filter(([name]) => names.includes(name + suffix));
}

async function runFile(name: string): Promise<Section> {
  const section: Section = { passed: 0, failed: [], skipped: 0, counted: [], milliseconds: 0 };
  const start = performance.now();
  const events = run({ files: [`${folder}${name}`], timeout: Infinity });
  events.on("test:start", ({ name: test }) => report(`${name}: ${test.slice(0, 100)}`));
  events.on("test:pass", ({ skip }) => {
    if (skip === undefined) section.passed++;
    else section.skipped++;
  });
  events.on("test:fail", ({ name: test, details }) => {
    section.failed.push(test);
    console.error(`\n${name}: ${test}\n`, details.error.cause);
  });
  // The runner's own are `tests 12`, `pass 12`, `duration_ms 3100.2` and so on.
  events.on("test:diagnostic", ({ message }) => {
    if (!/^([a-z_]+ [0-9.]+$|Error: )/.test(message)) section.counted.push(message);
  });
  for await (const _ of events);
  section.milliseconds = performance.now() - start;
  return section;
}
