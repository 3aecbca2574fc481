import { createServer, type RequestListener, type Server } from "node:http";
import type { ServerSettings } from "../config/server.ts";
import { Connections } from "./connections.ts";
import { limitPipelining } from "./limitPipelining.ts";

const maxHeadersTimeoutMs = 20_000;

export interface HttpServer {
  server: Server;
  connections: Connections;
}

/** A server with time limits for slow clients, whose error responses all come from this service. It does not listen yet. */
export function createHttpServer(
  app: RequestListener,
  {
    keepAliveTimeoutMs,
    requestTimeoutMs,
    maxConnections,
  }: Pick<ServerSettings, "keepAliveTimeoutMs" | "requestTimeoutMs" | "maxConnections">,
): HttpServer {
  const headersTimeout = Math.min(requestTimeoutMs, maxHeadersTimeoutMs);
  const server = createServer(
    {
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: requestTimeoutMs,
      headersTimeout,
      connectionsCheckingInterval: headersTimeout / 4,
      requireHostHeader: false,
    },
    limitPipelining(app),
  );
  server.maxConnections = maxConnections;
  // The app responds to these, too.
  for (const event of ["checkContinue", "checkExpectation"])
    server.on(event, (request, response) => server.emit("request", request, response));
  return { server, connections: new Connections(server) };
}
