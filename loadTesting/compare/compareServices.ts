import { CommandError, exitCodes } from "../../src/cli/commandError.ts";
import { interruptible } from "../../src/cli/interruption.ts";
import { print } from "../../src/cli/output.ts";
import { Progress } from "../../src/cli/progress.ts";
import { readRequests, type ApiRequest } from "../readRequests.ts";
import { NoReply, ServiceClient, type Reply } from "../../src/cli/serviceClient.ts";
import { compareReplies, type Comparison } from "./compareReplies.ts";
import { comparisonJson, comparisonText, Totals, type Found } from "./output.ts";

interface Options {
  concurrency: number;
  /** Seconds. */
  timeout: number;
  /** Maximum number of differences to print. */
  limit: number;
  json?: true | undefined;
}

/** `paths`: request files and folders. */
export async function compareServices(
  [url1, url2]: [string, string],
  paths: string[],
  options: Options,
): Promise<void> {
  await interruptible(async (signal) => {
    await using left = new ServiceClient(url1, options.concurrency, signal);
    await using right = new ServiceClient(url2, options.concurrency, signal);
    const comparisons = mapInOrder(readRequests(paths, signal), options.concurrency, async (request) => {
      const ask = (service: ServiceClient) => post(service, request, 1000 * options.timeout, signal);
      return compareReplies(request, ...(await Promise.all([ask(left), ask(right)])));
    });
    const totals = new Totals();
    const show = options.json === true ? comparisonJson : comparisonText;
    await print(show(addUp(comparisons, totals), totals, [left.url, right.url], options.limit));
    if (totals.requests === 0) throw new CommandError("usage", "there are no requests to compare");
    if (totals.differences > 0) process.exitCode = exitCodes.no;
  });
}

/** Retries while the service is overloaded. Throws a CommandError if it is unreachable. */
async function post(
  service: ServiceClient,
  request: ApiRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  try {
    return await service.postWithRetries(request, { timeoutMs });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof NoReply)) throw error;
    if (error.kind !== "unreachable") return error;
    throw new CommandError("failed", `can't reach ${error.message}`, { cause: error });
  }
}

async function* addUp(comparisons: AsyncIterable<Comparison>, totals: Totals): AsyncIterable<Found> {
  using progress = new Progress();
  for await (const comparison of comparisons) {
    totals.add(comparison);
    progress.show(() => `${totals.requests} requests, ${totals.differences} differences`);
    for (const difference of comparison.differences) yield { request: comparison.request.name, difference };
  }
}

/** The results of `work` in the order of the items, with up to `concurrency` in progress. */
async function* mapInOrder<Item, Result>(
  items: AsyncIterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncIterable<Result> {
  const pending: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // The error is handled when the result is awaited.
    result.catch(() => {});
    pending.push(result);
    if (pending.length >= concurrency) yield await (pending.shift() as Promise<Result>);
  }
  while (pending.length > 0) yield await (pending.shift() as Promise<Result>);
}
