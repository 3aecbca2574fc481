import { parentPort, type Transferable } from "node:worker_threads";
import type { AskMessage, Protocol, ReplyMessage } from "./thread.ts";

/** A reply, and the buffers in it that are transferred instead of cloned. */
export type Reply<Value> = [value: Value, transfer?: Transferable[]];

type Replies<P extends Protocol<P>> = {
  [Name in keyof P]: (argument: Parameters<P[Name]>[0]) => Reply<ReturnType<P[Name]>>;
};

/**
 * Replies to what this thread's Thread asks. Expected failures are part of a reply; an exception ends the thread and rejects
 * the ask.
 */
export function replyToAsks<P extends Protocol<P>>(replies: Replies<P>): void {
  const port = parentPort;
  if (!port) throw new Error("not in a worker thread");
  port.on("message", ({ id, name, argument }: AskMessage) => {
    const [reply, transfer] = replies[name as keyof P](argument as never);
    port.postMessage({ id, reply } satisfies ReplyMessage, transfer ?? []);
  });
}

/** Restarts the timeout of the ask in progress. Long work calls this regularly. */
export function reportProgress(): void {
  parentPort?.postMessage({}, []);
}
