import { CommandError, exitCodes } from "../commandError.ts";
import { interruptible } from "../interruption.ts";
import { print } from "../output.ts";
import { Progress } from "../progress.ts";
import { inOrder } from "../requests/inOrder.ts";
import { readRequests, type ApiRequest } from "../requests/readRequests.ts";
import { NoReply, ServiceClient, type Reply } from "../requests/serviceClient.ts";
import { compareReplies, type Compared } from "./compareReplies.ts";
import { Counts } from "./counts.ts";
import { comparisonJson, comparisonText, type Found } from "./output.ts";

interface Options {
  concurrency: number;
  /** Seconds. */
  timeout: number;
  /** How many differences are shown. */
  limit: number;
  json?: true | undefined;
}

/** `paths`: files and folders of requests. */
export async function compareServices(
  [url1, url2]: [string, string],
  paths: string[],
  options: Options,
): Promise<void> {
  await interruptible(async (signal) => {
    await using left = new ServiceClient(url1, options.concurrency, signal);
    await using right = new ServiceClient(url2, options.concurrency, signal);
    const compared = inOrder(readRequests(paths, signal), options.concurrency, async (request) => {
      const ask = (service: ServiceClient) => reply(service, request, 1000 * options.timeout, signal);
      return compareReplies(request, ...(await Promise.all([ask(left), ask(right)])));
    });
    const counts = new Counts();
    const show = options.json === true ? comparisonJson : comparisonText;
    await print(show(followed(compared, counts), counts, [left.url, right.url], options.limit));
    if (counts.requests === 0) throw new CommandError("usage", "there are no requests to compare by");
    if (counts.differences > 0) process.exitCode = exitCodes.no;
  });
}

/** What there is to compare, after a busy service was asked again. Throws a CommandError where it can't be reached. */
async function reply(
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

async function* followed(compared: AsyncIterable<Compared>, counts: Counts): AsyncIterable<Found> {
  using progress = new Progress();
  for await (const one of compared) {
    counts.add(one);
    progress.show(() => `${counts.requests} requests, ${counts.differences} differences`);
    for (const difference of one.differences) yield { request: one.request.name, difference };
  }
}
