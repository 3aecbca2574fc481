/**
 * Simulates fleets and writes what comes of it into docs/caching.md and docs/caching-fleets.svg: `npm run simulate`. With
 * --check it writes nothing and fails where these differ.
 */
import { readFile, writeFile } from "node:fs/promises";
import { withGenerated } from "../bench/page.ts";
import { fleetsPlot } from "./fleetsPlot.ts";
import { runFleets, runFolders, runWithFullStore, usual } from "./scenarios.ts";
import {
  emptyFoldersTable,
  fleetsTable,
  foldersTable,
  oneModuleTable,
  threeInstancesTable,
} from "./tables.ts";

const docs = new URL("../docs/", import.meta.url);
const fleets = runFleets();
const [without, , withStore] = fleets.filter(({ instances }) => instances === usual.instances);
const sections = {
  "one module": oneModuleTable(),
  fleets: fleetsTable(fleets),
  folders: foldersTable(runFolders()),
  "empty folders": emptyFoldersTable({
    "no store": without!.figures,
    "an empty store": withStore!.figures,
    "a store that has all": runWithFullStore(),
  }),
  "three instances": threeInstancesTable(),
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
    console.error(`docs/${name} differs from the simulation: run "npm run simulate"`);
    process.exitCode = 1;
  }
}
