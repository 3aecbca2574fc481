/**
 * Simulates fleets, and writes the results to docs/caching.md and docs/caching-fleets.svg: `npm run simulate`.
 * With --check it writes nothing, and fails if the results differ from the page.
 */
import { readFile, writeFile } from "node:fs/promises";
import { withGenerated } from "../bench/page.ts";
import { fleetsPlot } from "./fleetsPlot.ts";
import { runFleets, runFolders, runWithFullStore, usual } from "./scenarios.ts";
import { emptyFoldersSentence, fleetsTable, foldersTable, oneModuleTable } from "./tables.ts";

const docs = new URL("../docs/", import.meta.url);
const fleets = runFleets();
const [alone] = fleets.filter(({ instances }) => instances === usual.instances);
const sections = {
  "one module": oneModuleTable(),
  fleets: fleetsTable(fleets),
  folders: foldersTable(runFolders()),
  "empty folders": emptyFoldersSentence(alone!.result, runWithFullStore()),
};

const page = await readFile(new URL("caching.md", docs), "utf8");
const files = {
  "caching.md": Object.entries(sections).reduce(
    (text, [name, table]) => withGenerated(text, name, table),
    page,
  ),
  "caching-fleets.svg": fleetsPlot(fleets),
};
for (const [name, text] of Object.entries(files)) {
  const file = new URL(name, docs);
  if (!process.argv.includes("--check")) await writeFile(file, text);
  else if ((await readFile(file, "utf8")) !== text) {
    console.error(`docs/${name} is out of date: run "npm run simulate"`);
    process.exitCode = 1;
  }
}
