import type { ServerResponse } from "node:http";

/** Ends the connection of a client that takes longer than so many milliseconds to receive its answer. */
export function limitAnswerTime(response: ServerResponse, milliseconds: number): void {
  if (response.closed) return;
  const timer = setTimeout(() => response.destroy(), milliseconds).unref();
  response.once("close", () => clearTimeout(timer));
}
