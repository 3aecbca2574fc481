import type { Dispatcher } from "undici";

/** Of an answer whose body nobody needs: bytes and milliseconds in which it may end, so that its connection is used again. */
const needless = { bytes: 64 * 1024, time: 1000 };

/** Nobody waits for it: a body that comes slowly, or is long, is given up with its connection. */
export function letGoBy(body: Dispatcher.ResponseData["body"]): void {
  const signal = AbortSignal.timeout(needless.time);
  body.dump({ limit: needless.bytes, signal }).catch(() => {});
}
