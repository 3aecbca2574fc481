import { Command, Option } from "@commander-js/extra-typings";
import { parseCount, parseRate, parseSeconds } from "./numbers.ts";
import { requestsHelp } from "./options.ts";

export function loadCommand() {
  return new Command("load")
    .summary("measure how a service does under load")
    .description(
      "Sends requests to a service, in turn and over again, and reports how long answers take, how many come and what " +
        "fails.\n\n" +
        "With --rate requests arrive whether or not those before were answered, as those of many clients do, and latency " +
        "counts from the moment when each was to be sent: a slow service can't slow the load down. With --concurrency each " +
        "of so many clients sends its next request when it has its answer. Ctrl-C ends it with what it has.\n\n" +
        "The exit code is 3 where nothing was answered at all; requests that failed are in the report.\n\n" +
        requestsHelp,
    )
    .argument("<url>", "address of the service, such as http://localhost:8000")
    .argument("[requests...]", "files and folders of requests (default: standard input)")
    .option("-r, --rate <number>", "requests that arrive a second", parseRate)
    .addOption(
      new Option("-c, --concurrency <number>", "requests under way at a time")
        .argParser(parseCount)
        .default(1)
        .conflicts("rate"),
    )
    .option(
      "-d, --duration <seconds>",
      "how long to send, as 30, 500ms or 2m (default: 10 s without --count)",
      parseSeconds,
    )
    .option(
      "-n, --count <number>",
      "how many requests to send; those that warm up are not among them",
      parseCount,
    )
    .option("-w, --warm-up <seconds>", "how long to send before it counts", parseSeconds, 2)
    .option("-t, --timeout <seconds>", "how long to wait for an answer", parseSeconds, 30)
    .option("--json <file>", "write the report as JSON, too; - is standard output, in place of the text")
    .option("--plot <file>", "draw latency over time, as SVG")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot make-requests ./symbols --count 100 > requests.ndjson
  $ tseliot load http://localhost:8000 requests.ndjson --rate 50 --duration 1m --plot latency.svg
  $ tseliot load http://localhost:8000 requests.ndjson --concurrency 10 --count 1000
  $ tseliot load http://localhost:8000 requests.ndjson --json - | jq .latency.p99`,
    )
    .action(async (url, requests, options) => {
      const { loadService } = await import("./load/loadService.ts");
      await loadService(url, requests, options);
    });
}
