import type { ServerResponse } from "node:http";

/** The client has closed its connection, or reads nothing for too long. There is nobody to respond to. */
export class ClientLeft extends Error {
  override name = "ClientLeft";
}

/** Aborted with a ClientLeft when the response's connection is closed, also after a complete response. */
export function leaving(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  const leave = () => left.abort(new ClientLeft());
  if (response.closed) leave();
  else response.once("close", leave);
  return left.signal;
}
