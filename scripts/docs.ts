/**
 * Writes what the documentation says of the code from the code itself: between `<!-- generated: NAME -->` and
 * `<!-- end -->`. With --check it writes nothing and fails where the two differ.
 */
import { readFile, writeFile } from "node:fs/promises";
import { createProgram } from "../src/cli/program.ts";
import { allSettings } from "../src/config/readConfig.ts";
import { catalogue } from "../src/observability/metrics.ts";

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
  return [
    "| metric | type | tags besides `host` | what it says |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** What `tseliot --help`, or `tseliot COMMAND --help`, prints. */
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
  help: () => help(""),
  ...Object.fromEntries(
    createProgram({}).commands.map((command) => [`help ${command.name()}`, () => help(command.name())]),
  ),
};

let differ = false;
for (const name of ["README.md", "docs/operations.md", "docs/cli.md"]) {
  const file = new URL(name, root);
  const before = await readFile(file, "utf8");
  const after = before.replace(
    /(<!-- generated: ([\w ]+) -->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, section: string, end: string) => `${start}\n${sections[section]?.() ?? ""}\n\n${end}`,
  );
  if (after === before) continue;
  if (process.argv.includes("--check")) {
    console.error(`${name} differs from the code: run "npm run docs"`);
    differ = true;
  } else await writeFile(file, after);
}
process.exitCode = differ ? 1 : 0;
