import { Command } from "@commander-js/extra-typings";

export function convertCommand() {
  return new Command("convert")
    .summary("convert a sym file into a symcache")
    .description(
      "Converts a Breakpad sym file, gzipped or not, into a symcache: the file that the service looks offsets up in.",
    )
    .argument("<sym>", "sym file; - is standard input")
    .option(
      "-o, --output <file>",
      "the symcache (default: the sym file's name with .symc instead, in this folder)",
    )
    .option("--json", "print what was done as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot convert libxul.so.sym
  $ dump_syms libxul.so | tseliot convert - --output libxul.symc
  $ tseliot convert xul.sym.gz --json | jq .symcacheBytes`,
    )
    .action(async (sym, options) => {
      const { convertSymFile } = await import("./convert/convertSymFile.ts");
      await convertSymFile(sym, options);
    });
}
