import { setImmediate, setTimeout } from "node:timers/promises";
import { CommandError } from "../commandError.ts";
import type { ApiRequest } from "../requests/readRequests.ts";
import { NoReply, type ServiceClient } from "../requests/serviceClient.ts";
import { AnswerCheck } from "./answerCheck.ts";
import type { Measurements } from "./measurements.ts";
import type { Plan } from "./plan.ts";

/** A timer is due only at whole milliseconds: what would come within half of one is sent at once. */
const early = 0.5;
/** Where the sender is late, answers are read after so many requests. */
const mostAtOnce = 64;

/**
 * Sends requests in turn as the plan says, and notes what becomes of each, until it is fulfilled or `signal` is aborted.
 * Throws a CommandError where the service can't be reached to begin with.
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
  const check = new AnswerCheck();
  const start = performance.now() + 1000 * plan.warmUp;
  let number = 0;
  let counted = 0;

  /** `moment`: when it should be sent. */
  async function sendOne(moment: number): Promise<void> {
    const at = (moment - start) / 1000;
    if (at >= 0) counted++;
    const sent = performance.now();
    const from = Math.min(moment, sent);
    const request = requests[number++ % requests.length] as ApiRequest;
    const late = Math.max(0, sent - moment);
    try {
      const reply = await service.post(request, { timeoutMs: 1000 * plan.timeout });
      const latency = performance.now() - from;
      measurements.add({
        at,
        late,
        latency,
        bytes: reply.body.length,
        failure: check.failure(request, reply),
      });
    } catch (error) {
      if (!(error instanceof NoReply)) throw error;
      if (stop.aborted) return void measurements.unfinished++;
      if (error.kind === "unreachable" && measurements.hasNoReply)
        unreachable.abort(new CommandError("failed", `can't reach ${error.message}`, { cause: error }));
      const failure = { kind: error.kind, example: error.message };
      measurements.add({ at, late, latency: performance.now() - from, bytes: 0, failure });
    }
  }

  const isWanted = (moment: number) =>
    !stop.aborted && (moment - start) / 1000 < plan.duration && counted < plan.count;

  async function atRate(rate: number): Promise<void> {
    const first = performance.now();
    const underWay = new Set<Promise<void>>();
    for (let moment = first, sent = 0; isWanted(moment); moment = first + (1000 * ++sent) / rate) {
      if (sent % mostAtOnce === 0) await setImmediate();
      for (let wait; (wait = moment - performance.now()) > early && !stop.aborted;) await pause(wait, stop);
      if (stop.aborted) break;
      const one = sendOne(moment).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await Promise.all(underWay);
  }

  async function oneAfterAnother(): Promise<void> {
    for (let now; isWanted((now = performance.now()));) await sendOne(now);
  }

  if (plan.rate === undefined) await Promise.all(Array.from({ length: plan.concurrency }, oneAfterAnother));
  else await atRate(plan.rate);
  unreachable.signal.throwIfAborted();
}

async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal: stop }).catch((error: unknown) => {
    if (!stop.aborted) throw error;
  });
}
