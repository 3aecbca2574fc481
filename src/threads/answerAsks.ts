import { parentPort, type Transferable } from "node:worker_threads";
import type { AnswerMessage, AskMessage, Protocol } from "./thread.ts";

/** An answer and what of it is handed over instead of cloned. */
export type Reply<Answer> = [answer: Answer, transfer?: Transferable[]];

type Answers<P extends Protocol<P>> = {
  [Name in keyof P]: (argument: Parameters<P[Name]>[0]) => Reply<ReturnType<P[Name]>>;
};

/**
 * Answers what this thread's Thread asks. Faults that are expected are part of the answer;
 * an exception ends the thread, and its owner learns of it.
 */
export function answerAsks<P extends Protocol<P>>(answers: Answers<P>): void {
  const port = parentPort;
  if (!port) throw new Error("not in a worker thread");
  port.on("message", ({ id, name, argument }: AskMessage) => {
    const [answer, transfer] = answers[name as keyof P](argument as never);
    port.postMessage({ id, answer } satisfies AnswerMessage, transfer ?? []);
  });
}

/** To be called now and then by work that may take longer than this thread's Thread has patience. */
export function showLife(): void {
  parentPort?.postMessage({}, []);
}
