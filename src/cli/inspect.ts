import { Command } from "@commander-js/extra-typings";

export function inspectCommand() {
  return new Command("inspect")
    .summary("check a symcache and look up offsets in it")
    .description(
      "Prints the contents of a symcache, verifies all pages and looks up offsets. The exit code is 1 if it is damaged.",
    )
    .argument("<symc>", "symcache file")
    .argument("[offsets...]", "module offsets, such as 0x6322a or 406058")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot inspect libxul.symc
  $ tseliot inspect /tmp/cache/symcache-v1/xul.pdb/*.symc 0x1a2b3c
  $ tseliot inspect libxul.symc --json | jq '.contents.functions, .damage'`,
    )
    .action(async (symc, offsets, options) => {
      const { inspectSymcache } = await import("./inspectSymcache.ts");
      await inspectSymcache(symc, offsets, options);
    });
}
