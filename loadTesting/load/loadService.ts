import { CommandError } from "../../src/cli/commandError.ts";
import { interruptible } from "../../src/cli/interruption.ts";
import { short, whole } from "../../src/captures/numberText.ts";
import { print, writeOutput } from "../../src/cli/output.ts";
import { Progress } from "../../src/cli/progress.ts";
import { readRequests, type ApiRequest } from "../readRequests.ts";
import { ServiceClient } from "../../src/cli/serviceClient.ts";
import { latencyPlot } from "./latencyPlot.ts";
import { Measurements } from "./measurements.ts";
import { createReport, reportText, type Report } from "./report.ts";
import { send, type Plan } from "./send.ts";

/** At a fixed rate. Latency includes the wait for a free connection. */
const maxConnections = 1000;
const progressIntervalMs = 250;

interface Options extends Omit<Plan, "duration" | "count"> {
  duration?: number | undefined;
  count?: number | undefined;
  /** Output files; `-` is standard output. */
  json?: string | undefined;
  plot?: string | undefined;
}

/** `paths`: request files and folders. */
export async function loadService(
  url: string,
  paths: string[],
  { json, plot, ...options }: Options,
): Promise<void> {
  const plan: Plan = {
    ...options,
    duration: options.duration ?? (options.count === undefined ? 10 : Infinity),
    count: options.count ?? Infinity,
  };
  await interruptible(async (signal) => {
    const requests = await readAll(paths, signal);
    const report = await run(url, requests, plan, signal);
    // After Ctrl-C, the report is still written.
    const { signal: unaborted } = new AbortController();
    const text = `${JSON.stringify(report)}\n`;
    if (json !== "-") await print([reportText(report)]);
    if (json === "-") await print([text]);
    else if (json !== undefined) await writeOutput(json, [text], unaborted);
    if (plot !== undefined) await writeOutput(plot, [latencyPlot(report)], unaborted);
    signal.throwIfAborted();
    if (report.answered === 0) throw new CommandError("failed", `no request to ${report.url} succeeded`);
  });
}

async function readAll(paths: string[], signal: AbortSignal): Promise<ApiRequest[]> {
  const hint = "tseliot make-requests generates requests from a folder of sym files";
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
  const connections = plan.rate === undefined ? plan.concurrency : maxConnections;
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
      const mean = answered === 0 ? "" : `, recent mean ${short(latency / answered)} ms`;
      const failing = failed === 0 ? "" : `, ${whole(failed)} recently failed`;
      if (seconds < 0) return `warming up${mean}${failing}`;
      const [all, allFailed] = [measurements.answered, measurements.failed].map((n) => whole(n));
      return `${seconds.toFixed(0)}${until} s, ${all}${of} succeeded, ${allFailed} failed${mean}`;
    });
  }, progressIntervalMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      progress[Symbol.dispose]();
    },
  };
}
