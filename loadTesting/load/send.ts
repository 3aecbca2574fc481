import { setImmediate, setTimeout } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { CommandError } from "../../src/cli/commandError.ts";
import type { ApiRequest } from "../readRequests.ts";
import { NoReply, type Reply, type ServiceClient } from "../../src/cli/serviceClient.ts";
import type { Failure, Measurements } from "./measurements.ts";

/** How requests are sent. Times are in seconds. */
export interface Plan {
  /** The open model: requests per second, regardless of the number in flight. */
  rate?: number | undefined;
  /** The closed model: the number of requests in flight. */
  concurrency: number;
  /** Requests in this time are not measured. */
  warmUp: number;
  duration: number;
  /** Ends earlier, after this many measured requests. */
  count: number;
  timeout: number;
}

/** Timers have a resolution of 1 ms: a request that is due within half of that is sent at once. */
const earlyMs = 0.5;
/** When sending is behind schedule, read responses after this many requests. */
const sendBatch = 64;
const maxExcerptLength = 100;

/**
 * Sends the requests round-robin and records each result, until the plan is completed or `signal` is aborted. Throws a
 * CommandError if the service is unreachable from the start.
 */
export async function send(
  service: ServiceClient,
  requests: ApiRequest[],
  plan: Plan,
  measurements: Measurements,
  signal: AbortSignal,
): Promise<void> {
  const unreachable = new AbortController();
  const stop = AbortSignal.any([signal, unreachable.signal]);
  const check = new ResponseCheck();
  const start = performance.now() + 1000 * plan.warmUp;
  let sent = 0;
  let measured = 0;

  async function sendOne(dueAt: number): Promise<void> {
    const at = (dueAt - start) / 1000;
    if (at >= 0) measured++;
    const sentAt = performance.now();
    const from = Math.min(dueAt, sentAt);
    const request = requests[sent++ % requests.length] as ApiRequest;
    const late = Math.max(0, sentAt - dueAt);
    try {
      const reply = await service.post(request, { timeoutMs: 1000 * plan.timeout });
      const latency = performance.now() - from;
      const failure = check.failure(request, reply);
      measurements.add({ at, late, latency, bytes: reply.body.length, failure });
    } catch (error) {
      if (!(error instanceof NoReply)) throw error;
      if (stop.aborted) return void measurements.unfinished++;
      if (error.kind === "unreachable" && measurements.hasNoReply)
        unreachable.abort(new CommandError("failed", `can't reach ${error.message}`, { cause: error }));
      const failure = { kind: error.kind, example: error.message };
      measurements.add({ at, late, latency: performance.now() - from, bytes: 0, failure });
    }
  }

  const isPlanned = (dueAt: number) =>
    !stop.aborted && (dueAt - start) / 1000 < plan.duration && measured < plan.count;

  async function sendAtRate(rate: number): Promise<void> {
    const first = performance.now();
    const inFlight = new Set<Promise<void>>();
    for (let dueAt = first, index = 0; isPlanned(dueAt); dueAt = first + (1000 * ++index) / rate) {
      if (index % sendBatch === 0) await setImmediate();
      for (let wait; (wait = dueAt - performance.now()) > earlyMs && !stop.aborted;) await sleep(wait, stop);
      if (stop.aborted) break;
      const request = sendOne(dueAt).finally(() => inFlight.delete(request));
      inFlight.add(request);
    }
    await Promise.all(inFlight);
  }

  async function sendSequentially(): Promise<void> {
    for (let now; isPlanned((now = performance.now()));) await sendOne(now);
  }

  if (plan.rate === undefined) await Promise.all(Array.from({ length: plan.concurrency }, sendSequentially));
  else await sendAtRate(plan.rate);
  unreachable.signal.throwIfAborted();
}

async function sleep(milliseconds: number, stop: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal: stop }).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}

/** Validates responses. Parsing takes longer than receiving, so known response bodies are recognized by their checksum. */
class ResponseCheck {
  readonly #valid = new Set<string>();

  failure(request: ApiRequest, { status, body }: Reply): Failure | undefined {
    const excerpt = () => body.toString("utf8", 0, maxExcerptLength).replace(/\s+/g, " ");
    const failure = (kind: string) => ({ kind, example: `${request.name}: ${excerpt()}` });
    if (status !== 200) return failure(`status ${status}`);
    const key = `${request.version} ${body.length} ${crc32(body)}`;
    if (this.#valid.has(key)) return undefined;
    try {
      const response = JSON.parse(body.toString()) as Record<string, unknown> | null;
      const list = request.version === "v4" ? response?.["symbolicatedStacks"] : response?.["results"];
      if (!Array.isArray(list)) return failure("wrong JSON");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return failure("no JSON");
    }
    this.#valid.add(key);
    return undefined;
  }
}
