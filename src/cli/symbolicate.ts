import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Environment } from "../config/readConfig.ts";
import { cacheOption, symbolsOption } from "./options.ts";

export function symbolicateCommand(env: Environment) {
  return new Command("symbolicate")
    .summary("add symbols to a profile, a crash or a request")
    .description(
      `Symbolicates a file, also one compressed by gzip, zstd or Brotli (.br) or alone in a zip file, and prints its stacks, or the file with symbols added. Accepts
- profiles of the Firefox profiler or of Gecko
- crash pings, or only their stack traces
- processed crashes of crash-stats, and the JSON output of minidump-stackwalk
- requests to the v5 or v4 API`,
    )
    .argument("[file]", "the file (default: standard input)")
    .option("-u, --url <address>", "use the service at this address (default: symbolicate in this process)")
    .addOption(symbolsOption())
    .addOption(cacheOption())
    .option("--json", "print JSON: the file with symbols added, or the response to the request")
    .option("-o, --output <file>", "write that JSON to a file, gzipped if its name ends in .gz")
    .addOption(
      new Option("-t, --threads <which>", "which threads of a crash to print")
        .choices(["crashed", "all"] as const)
        .default("crashed" as const),
    )
    .option("-n, --stacks <number>", "how many stacks to print per thread of a profile", parseCount, 5)
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot symbolicate profile.json.gz
  $ tseliot symbolicate profile.json.gz --output symbolicated.json.gz
  $ tseliot symbolicate ping.json --url https://symbolication.services.mozilla.com
  $ minidump-stackwalk --json crash.dmp | tseliot symbolicate --symbols ./symbols
  $ tseliot symbolicate crash.json --symbols target.crashreporter-symbols.zip
  $ tseliot symbolicate request.json --json | jq '.results[].stacks[][].function'`,
    )
    .action(async (file, options) => {
      const { symbolicateFile } = await import("./symbolicate/symbolicateFile.ts");
      await symbolicateFile(file, env, options);
    });
}

function parseCount(value: string): number {
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is not a whole number.");
}
