import { once } from "node:events";
import { createServer, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Lets `app` answer the bodies of v5 requests, one after the other, on a port that nobody is told of; no more of them once
 * `signal` is aborted.
 */
export async function postInTurn(
  app: RequestListener,
  bodies: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    for (const body of bodies) {
      if (signal.aborted) break;
      await post(port, body);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function post(port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", method: "POST", path: "/symbolicate/v5" });
    asked.on("error", reject).on("response", (answer) => {
      answer.on("error", reject).on("end", resolve).resume();
    });
    asked.end(body);
  });
}
