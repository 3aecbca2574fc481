import { Command } from "@commander-js/extra-typings";
import { parseCount, parseSeconds } from "./numbers.ts";
import { requestsHelp } from "./options.ts";

export function compareCommand() {
  return new Command("compare")
    .summary("find out where two services answer differently")
    .description(
      "Asks two services the same requests and shows each frame that they answer differently. The exit code is 1 where " +
        "there is any difference. An answer that doesn't come is one, too.\n\n" +
        requestsHelp,
    )
    .argument("<url1>", "address of a service, such as http://localhost:8000")
    .argument("<url2>", "address of the other")
    .argument("[requests...]", "files and folders of requests (default: standard input)")
    .option("-c, --concurrency <number>", "how many requests are under way at a time", parseCount, 4)
    .option(
      "-t, --timeout <seconds>",
      "how long to wait for an answer, downloads included",
      parseSeconds,
      300,
    )
    .option("-l, --limit <number>", "how many differences to show; all are counted", parseCount, 100)
    .option("--json", "print JSON: all differences, and their numbers behind them")
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
