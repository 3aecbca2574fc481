import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { cacheOption, symbolsOption, type Environment } from "./options.ts";

export function symbolicateCommand(env: Environment) {
  return new Command("symbolicate")
    .summary("show the stacks of a profile, a crash or a request with symbols")
    .description(
      `Symbolicates a file, gzipped or not, and prints its stacks, or writes it again with symbols in it. It may be
- a profile of Firefox, as the Firefox profiler or as Gecko writes it
- a crash ping, or the stack traces of one
- a processed crash of crash-stats, or the JSON that minidump-stackwalk prints
- a request of the API, v5 or v4`,
    )
    .argument("[file]", "the file (default: standard input)")
    .option("-u, --url <address>", "ask the service there (default: look symbols up here)")
    .addOption(symbolsOption())
    .addOption(cacheOption())
    .option("--json", "print JSON: the file with symbols in it, or the answer to the request")
    .option("-o, --output <file>", "write that JSON to a file, gzipped where its name ends in .gz")
    .addOption(
      new Option("-t, --threads <which>", "which threads of a crash to print")
        .choices(["crashed", "all"] as const)
        .default("crashed" as const),
    )
    .option("-n, --stacks <number>", "how many stacks to print of each thread of a profile", parseCount, 5)
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot symbolicate profile.json.gz
  $ tseliot symbolicate profile.json.gz --output symbolicated.json.gz
  $ tseliot symbolicate ping.json --url https://symbolication.services.mozilla.com
  $ minidump-stackwalk --json crash.dmp | tseliot symbolicate --symbols ./symbols
  $ tseliot symbolicate request.json --json | jq '.results[].stacks[][].function'`,
    )
    .action(async (file, options) => {
      const { symbolicateFile } = await import("./symbolicate/symbolicateFile.ts");
      await symbolicateFile(file, env, options);
    });
}

function parseCount(value: string): number {
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is no whole number.");
}
