import { setTimeout } from "node:timers/promises";

/** A service that has too much to do is asked again so often, after so many seconds at most. */
const attempts = 5;
const longestWait = 60;

/** What a service gives, after it was asked again while it said that it has too much to do, and when to come again. */
export async function whileBusy<Given extends { status: number; retryAfter: number | undefined }>(
  ask: () => Promise<Given>,
  signal: AbortSignal,
): Promise<Given> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const given = await ask();
    const { status, retryAfter = Infinity } = given;
    if (attempt === attempts || status !== 503 || !(retryAfter <= longestWait)) return given;
    await setTimeout(1000 * retryAfter, undefined, { signal });
  }
}
