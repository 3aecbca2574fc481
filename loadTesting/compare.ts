import { Command } from "@commander-js/extra-typings";
import { parseCount, parseSeconds, requestsHelp } from "./options.ts";

export function compareCommand() {
  return new Command("compare")
    .summary("compare the responses of two services")
    .description(
      "Sends the same requests to two services and prints every frame that differs. The exit code is 1 if there is a " +
        "difference; a missing response counts as one.\n\n" +
        requestsHelp,
    )
    .argument("<url1>", "URL of a service, such as http://localhost:8000")
    .argument("<url2>", "URL of the other service")
    .argument("[requests...]", "request files and folders (default: standard input)")
    .option("-c, --concurrency <number>", "concurrent requests", parseCount, 4)
    .option("-t, --timeout <seconds>", "request timeout, including symbol downloads", parseSeconds, 300)
    .option(
      "-l, --limit <number>",
      "maximum number of differences to print; all are counted",
      parseCount,
      100,
    )
    .option("--json", "print JSON: all differences, then the totals")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot compare https://symbolication.services.mozilla.com http://localhost:8000 requests/
  $ tseliot make-requests ./symbols | tseliot compare http://localhost:8000 http://localhost:9000
  $ tseliot compare http://localhost:8000 http://localhost:9000 old.json --json | jq .kinds`,
    )
    .action(async (url1, url2, requests, options) => {
      const { compareServices } = await import("./compare/compareServices.ts");
      await compareServices([url1, url2], requests, options);
    });
}
