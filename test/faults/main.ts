/**
 * Runs all tests of faults with the big counts: `npm run test:faults -- [--scale PART] [--seed N] [FILE…]`.
 * It writes what came of it into docs/reliability.md, into the rows of the files that were run, and what fleets counted into
 * docs/caching.md; with a part of the counts it only shows it.
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
const cachingPage = new URL("../../docs/caching.md", import.meta.url);
const suffix = ".test.ts";
const { values, positionals } = parseArgs({
  options: { scale: { type: "string", default: "1" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});
process.env["FAULTS_SCALE"] = values.scale;
process.env["FAULTS_SEED"] = values.seed;

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = (await readdir(folder)).filter((name) => name.endsWith(suffix)).toSorted();
const wanted = names.filter(
  (name) => positionals.length === 0 || positionals.includes(name.slice(0, -suffix.length)),
);
const sections = new Map<string, Section>();
for (const name of wanted) sections.set(name.slice(0, -suffix.length), await runFile(name));

const rows = new Map(await rowsOf(page));
for (const [name, { passed, failed, skipped, counted, milliseconds }] of sections) {
  const minutes = (milliseconds / 60_000).toFixed(1);
  const measured = name === "fleet" ? "see [caching](caching.md#simultaneous-requests)" : counted.join("; ");
  const cells = [name, passed + failed.length, failed.length, skipped, minutes, measured];
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
const { counted: fleets = [] } = sections.get("fleet") ?? {};
if (values.scale === "1") {
  await writeInto(page, "faults", text);
  if (fleets.length > 0)
    await writeInto(
      cachingPage,
      "measured fleet",
      [`${machine()}\n`, ...fleets.map((said) => `- ${said}`)].join("\n"),
    );
}
process.exitCode = [...sections.values()].some(({ failed }) => failed.length > 0) ? 1 : 0;

/** Rows that the page has already, by file. */
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
  // Those of the runner itself are `tests 12`, `pass 12`, `duration_ms 3100.2`, and so on.
  events.on("test:diagnostic", ({ message }) => {
    if (!/^([a-z_]+ [0-9.]+$|Error: )/.test(message)) section.counted.push(message);
  });
  for await (const _ of events);
  section.milliseconds = performance.now() - start;
  return section;
}
