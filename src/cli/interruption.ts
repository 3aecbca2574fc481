import { constants } from "node:os";
import { CommandEnded } from "./commandError.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Lets `work` clean up after a first signal, and then throws a CommandEnded. A second signal kills the process. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // As in shells: 130 after Ctrl-C.
  const interrupt = (name: NodeJS.Signals) =>
    controller.abort(new CommandEnded(128 + constants.signals[name], `ended by ${name}`));
  for (const name of signals) process.once(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}
