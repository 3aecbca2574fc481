import { setTimeout } from "node:timers/promises";
import { Command } from "@commander-js/extra-typings";
import { CommandError, exitCodes } from "./commandError.ts";
import { compareReplies, type Compared } from "./compare/compareReplies.ts";
import { Counts } from "./compare/counts.ts";
import { comparisonJson, comparisonText, type Found } from "./compare/output.ts";
import { interruptible } from "./interruption.ts";
import { parseCount, parseSeconds } from "./numbers.ts";
import { print } from "./output.ts";
import { Progress } from "./progress.ts";
import { inOrder } from "./requests/inOrder.ts";
import { readRequests, requestsHelp, type ApiRequest } from "./requests/readRequests.ts";
import { NoReply, ServiceClient, type Reply } from "./requests/serviceClient.ts";

/** A service that has too much to do is asked again so often, after so many seconds at most. */
const attempts = 5;
const longestWait = 60;

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
      await interruptible(async (signal) => {
        await using left = new ServiceClient(url1, options.concurrency, signal);
        await using right = new ServiceClient(url2, options.concurrency, signal);
        const compared = inOrder(readRequests(requests, signal), options.concurrency, async (request) => {
          const ask = (service: ServiceClient) => reply(service, request, 1000 * options.timeout, signal);
          return compareReplies(request, ...(await Promise.all([ask(left), ask(right)])));
        });
        const counts = new Counts();
        const show = options.json === true ? comparisonJson : comparisonText;
        await print(show(followed(compared, counts), counts, [left.url, right.url], options.limit));
        if (counts.requests === 0) throw new CommandError("usage", "there are no requests to compare by");
        if (counts.differences > 0) process.exitCode = exitCodes.no;
      });
    });
}

/** What there is to compare, after a busy service was asked again. Throws a CommandError where it can't be reached. */
async function reply(
  service: ServiceClient,
  request: ApiRequest,
  timeout: number,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  try {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const given = await service.post(request, timeout);
      const { status, retryAfter = Infinity } = given;
      if (attempt === attempts || status !== 503 || !(retryAfter <= longestWait)) return given;
      await setTimeout(1000 * retryAfter, undefined, { signal });
    }
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
