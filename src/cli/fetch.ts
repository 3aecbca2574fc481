import { Command } from "@commander-js/extra-typings";
import type { Environment } from "../config/readConfig.ts";
import { symbolsOption } from "./options.ts";

export function fetchCommand(env: Environment) {
  return new Command("fetch")
    .summary("download a sym file")
    .description(
      "Downloads, decompresses and checks the sym file of a module. If a source fails or has a file that the service could not use, the next source is asked.",
    )
    .argument(
      "<file>",
      "debug file, such as libxul.so or xul.pdb; with a code id the code file, such as xul.dll",
    )
    .argument("<id>", "debug id, such as 1410FAF03AD925211450AE25E0CB9AE50, or code id of a Windows file")
    .addOption(symbolsOption())
    .option(
      "-o, --output <file>",
      "output file, or - for standard output (default: the name of the sym file, in the current folder)",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot fetch xul.pdb 44E4EC8C2F41492B9369D6B9A059577C2
  $ tseliot fetch xul.dll 5CF2591C6859000
  $ tseliot fetch libxul.so 1410FAF03AD925211450AE25E0CB9AE50 --output - | grep ^INFO`,
    )
    .action(async (file, id, options) => {
      const { fetchSymFile } = await import("./fetchSymFile.ts");
      await fetchSymFile(file, id, env, options);
    });
}
