import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { ServerSettings } from "../config/server.ts";
import { HttpError } from "./httpError.ts";
import type { HttpServer } from "./server.ts";

/** Time to read requests that have already reached this machine. */
const arrivalMs = 50;
/** Node's default for the connections that wait to be accepted. */
const maxWaitingConnections = 511;
/** Time to write a last line to bulk responses that are cut off. */
const lastLineMs = 200;

/**
 * Accepts requests until the load balancer has noticed, then finishes the requests that are in flight. Cuts them off when
 * `hurry` is aborted, or after `drainTimeoutMs`; `ending` is aborted just before, so that bulk responses can say so.
 */
export async function drain(
  { server, connections }: HttpServer,
  { drainDelayMs, drainTimeoutMs }: Pick<ServerSettings, "drainDelayMs" | "drainTimeoutMs">,
  hurry: AbortSignal,
  ending: AbortController,
): Promise<void> {
  connections.drain();
  await setTimeout(Math.max(drainDelayMs, arrivalMs), undefined, { signal: hurry }).catch(() => {});
  // On a busy event loop the timer is late and runs before I/O. Node accepts one waiting connection per turn.
  for (let turn = 0; turn <= maxWaitingConnections; turn++) await setImmediate();
  const drained = once(server.close(), "close");
  connections.closeWhenIdle();
  const timeout = AbortSignal.any([hurry, AbortSignal.timeout(drainTimeoutMs)]);
  const cutOff = async () => {
    ending.abort(new HttpError(503, "the service is shutting down"));
    await setTimeout(lastLineMs);
    connections.destroyAll();
  };
  if (timeout.aborted) void cutOff();
  else timeout.addEventListener("abort", cutOff);
  await drained;
}
