import { Command, Option } from "@commander-js/extra-typings";
import { parseCount, parseRate, parseSeconds, requestsHelp } from "./options.ts";

export function loadCommand() {
  return new Command("load")
    .summary("measure a service under load")
    .description(
      "Sends requests to a service in a loop and reports latency, throughput and errors.\n\n" +
        "With --rate, requests are sent at a fixed rate whether or not earlier ones have a response, and latency counts " +
        "from the time at which a request was due, so a slow service can't slow down the load. With --concurrency, each " +
        "client sends its next request after its response. Ctrl-C stops early and still prints the report.\n\n" +
        "The exit code is 3 if no request succeeded; failed requests are listed in the report.\n\n" +
        requestsHelp,
    )
    .argument("<url>", "URL of the service, such as http://localhost:8000")
    .argument("[requests...]", "request files and folders (default: standard input)")
    .option("-r, --rate <number>", "requests per second", parseRate)
    .addOption(
      new Option("-c, --concurrency <number>", "concurrent requests")
        .argParser(parseCount)
        .default(1)
        .conflicts("rate"),
    )
    .option(
      "-d, --duration <seconds>",
      "how long to send, such as 30, 500ms or 2m (default: 10 s without --count)",
      parseSeconds,
    )
    .option("-n, --count <number>", "number of requests to send after the warm-up", parseCount)
    .option("-w, --warm-up <seconds>", "how long to send before measuring", parseSeconds, 2)
    .option("-t, --timeout <seconds>", "request timeout", parseSeconds, 30)
    .option("--json <file>", "also write the report as JSON; - prints it instead of the text")
    .option("--plot <file>", "write an SVG plot of latency over time")
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
