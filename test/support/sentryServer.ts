import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A server that takes what is sent to Sentry. */
export async function startSentryServer() {
  const received: string[] = [];
  const first = Promise.withResolvers<string>();
  const server = createServer(async (request, response) => {
    const envelope = await text(request);
    received.push(envelope);
    first.resolve(envelope);
    response.end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    dsn: `http://key@127.0.0.1:${(server.address() as AddressInfo).port}/1`,
    /** Each envelope that came so far. */
    received,
    /** The first event: the third line of its envelope. */
    event: first.promise.then(
      (envelope) => JSON.parse(envelope.split("\n")[2] ?? "") as Record<string, unknown>,
    ),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
