import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { HttpServer } from "./server.ts";

/** Milliseconds in which a request that has reached this machine is read, before connections without one are ended. */
const arrival = 50;

/**
 * Accepts requests for as long as the load balancer needs to notice, then answers those accepted. What is left when `hurry`
 * is aborted, or after `drainTimeout`, is ended.
 */
export async function drain(
  { server, connections }: HttpServer,
  { drainDelay, drainTimeout }: Pick<Config, "drainDelay" | "drainTimeout">,
  hurry: AbortSignal,
): Promise<void> {
  connections.endSoon();
  await setTimeout(Math.max(drainDelay, arrival), undefined, { signal: hurry }).catch(() => {});
  const drained = once(server.close(), "close");
  connections.end();
  const patience = AbortSignal.any([hurry, AbortSignal.timeout(drainTimeout)]);
  const endAll = () => connections.endAll();
  if (patience.aborted) endAll();
  else patience.addEventListener("abort", endAll);
  await drained;
}
