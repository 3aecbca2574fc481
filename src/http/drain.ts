import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { ServerSettings } from "../config/server.ts";
import { HttpError } from "./httpError.ts";
import type { HttpServer } from "./server.ts";

/** Milliseconds in which a request that has reached this machine is read, before connections without one are ended. */
const arrival = 50;
/** Milliseconds in which answers that must end may tell their clients so. */
const lastWords = 200;

/**
 * Accepts requests for as long as the load balancer needs to notice, then answers those accepted. What is left when `hurry`
 * is aborted, or after `drainTimeout`, is ended; answers that stream may say so, for which `ending` is aborted before.
 */
export async function drain(
  { server, connections }: HttpServer,
  { drainDelayMs, drainTimeoutMs }: Pick<ServerSettings, "drainDelayMs" | "drainTimeoutMs">,
  hurry: AbortSignal,
  ending: AbortController,
): Promise<void> {
  connections.endSoon();
  await setTimeout(Math.max(drainDelayMs, arrival), undefined, { signal: hurry }).catch(() => {});
  const drained = once(server.close(), "close");
  connections.end();
  const patience = AbortSignal.any([hurry, AbortSignal.timeout(drainTimeoutMs)]);
  const endAll = async () => {
    ending.abort(new HttpError(503, "the service is shutting down"));
    await setTimeout(lastWords);
    connections.endAll();
  };
  if (patience.aborted) void endAll();
  else patience.addEventListener("abort", endAll);
  await drained;
}
