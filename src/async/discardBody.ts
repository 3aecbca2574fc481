import type { Dispatcher } from "undici";

/** Reading a rest this small is cheaper than opening another connection. */
const maxBytes = 64 * 1024;
const timeoutMs = 1000;

/** Discards a response body. A long or slow one is cut off by closing its connection. */
export function discardBody(body: Dispatcher.ResponseData["body"]): void {
  body.dump({ limit: maxBytes, signal: AbortSignal.timeout(timeoutMs) }).catch(() => {});
}
