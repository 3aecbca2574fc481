import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";

/** Sends v5 requests to `app`, one after the other, through a loopback port of their own, until `signal` is aborted. */
export async function postSequentially(
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
      const response = await request(`http://127.0.0.1:${port}/symbolicate/v5`, { method: "POST", body });
      await response.body.dump({ limit: Infinity });
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
