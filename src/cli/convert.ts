import { Command } from "@commander-js/extra-typings";

export function convertCommand() {
  return new Command("convert")
    .summary("convert a sym file into a symcache")
    .description(
      "Converts a Breakpad sym file, compressed or not, into a symcache, the file in which the service looks up offsets.",
    )
    .argument("<sym>", "sym file, or - for standard input")
    .option(
      "-o, --output <file>",
      "symcache file (default: the name of the sym file with .symc, in the current folder)",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot convert libxul.so.sym
  $ dump_syms libxul.so | tseliot convert - --output libxul.symc
  $ tseliot convert xul.sym.gz --json | jq .symcacheBytes`,
    )
    .action(async (sym, options) => {
      const { convertSymFile } = await import("./convertSymFile.ts");
      await convertSymFile(sym, options);
    });
}
