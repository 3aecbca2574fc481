import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Server } from "node:http";
import type { ServerSettings } from "../config/server.ts";
import { HttpError } from "./httpError.ts";
import type { HttpServer } from "./server.ts";

/** Time to read requests that have already reached this machine. */
const arrivalMs = 50;
/** Ten times Node's default for the connections that wait to be accepted. */
const maxTurns = 5110;
/** Turns without a new connection, after which none waits. */
const quietTurns = 50;
/** Time to write a last line to bulk responses that are cut off. */
const lastLineMs = 200;

/** Accepts connections that wait in the kernel, which would reset them when the port is closed. Node accepts one per turn. */
async function acceptWaiting(server: Server): Promise<void> {
  let quiet = 0;
  const accept = () => void (quiet = 0);
  server.on("connection", accept);
  for (let turn = 0; turn < maxTurns && quiet < quietTurns; turn++, quiet++) await setImmediate();
  server.off("connection", accept);
}

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
  await acceptWaiting(server);
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
