import { Command, Option } from "@commander-js/extra-typings";
import { CommandError } from "./commandError.ts";
import { interruptible } from "./interruption.ts";
import { latencyPlot } from "./load/latencyPlot.ts";
import { Measurements } from "./load/measurements.ts";
import type { Plan } from "./load/plan.ts";
import { createReport, reportText, type Report } from "./load/report.ts";
import { send } from "./load/send.ts";
import { parseCount, parseRate, parseSeconds } from "./numbers.ts";
import { print, writeOutput } from "./output.ts";
import { Progress } from "./progress.ts";
import { readRequests, requestsHelp, type ApiRequest } from "./requests/readRequests.ts";
import { ServiceClient } from "./requests/serviceClient.ts";
import { short, whole } from "./numberText.ts";

/** Of the open model: what comes while all are in use waits for one, and its latency counts that. */
const mostConnections = 1000;
const progressInterval = 250;

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
    .action(async (url, paths, { json, plot, ...options }) => {
      const plan: Plan = {
        ...options,
        duration: options.duration ?? (options.count === undefined ? 10 : Infinity),
        count: options.count ?? Infinity,
      };
      await interruptible(async (signal) => {
        const requests = await readAll(paths, signal);
        const report = await run(url, requests, plan, signal);
        // What was measured until Ctrl-C is written all the same.
        const { signal: unaborted } = new AbortController();
        const text = `${JSON.stringify(report)}\n`;
        if (json !== "-") await print([reportText(report)]);
        if (json === "-") await print([text]);
        else if (json !== undefined) await writeOutput(json, [text], unaborted);
        if (plot !== undefined) await writeOutput(plot, [latencyPlot(report)], unaborted);
        signal.throwIfAborted();
        if (report.answered === 0)
          throw new CommandError("failed", `no request was answered by ${report.url}`);
      });
    });
}

async function readAll(paths: string[], signal: AbortSignal): Promise<ApiRequest[]> {
  const hint = "tseliot make-requests makes requests from a folder of sym files";
  try {
    const requests = await Array.fromAsync(readRequests(paths, signal));
    if (requests.length === 0) throw new CommandError("usage", "there are no requests to send");
    return requests;
  } catch (error) {
    if (!(error instanceof CommandError) || paths.length > 0) throw error;
    throw new CommandError("usage", `${error.message}; ${hint}`, { cause: error });
  }
}

async function run(url: string, requests: ApiRequest[], plan: Plan, signal: AbortSignal): Promise<Report> {
  const connections = plan.rate === undefined ? plan.concurrency : mostConnections;
  await using service = new ServiceClient(url, connections, signal);
  const measurements = new Measurements();
  using _ = showProgress(measurements, plan);
  const before = performance.eventLoopUtilization();
  await send(service, requests, plan, measurements, signal);
  const { utilization: busy } = performance.eventLoopUtilization(before);
  const isInterrupted = signal.aborted;
  return createReport(
    { url: service.url, requests: requests.length, isInterrupted, busy },
    plan,
    measurements,
  );
}

function showProgress(measurements: Measurements, { warmUp, duration, count }: Plan): Disposable {
  const progress = new Progress();
  const start = performance.now();
  const timer = setInterval(() => {
    progress.show(() => {
      const seconds = (performance.now() - start) / 1000 - warmUp;
      const until = duration === Infinity ? "" : ` of ${short(duration)}`;
      const of = count === Infinity ? "" : ` of ${whole(count)}`;
      const { answered, failed, latency } = measurements.takeRecent();
      const mean = answered === 0 ? "" : `, lately ${short(latency / answered)} ms on average`;
      const failing = failed === 0 ? "" : `, ${whole(failed)} failed lately`;
      if (seconds < 0) return `warming up${mean}${failing}`;
      const [all, allFailed] = [measurements.answered, measurements.failed].map((n) => whole(n));
      return `${seconds.toFixed(0)}${until} s, ${all}${of} answered, ${allFailed} failed${mean}`;
    });
  }, progressInterval);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      progress[Symbol.dispose]();
    },
  };
}
