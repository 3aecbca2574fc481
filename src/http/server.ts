import { createServer, type RequestListener, type Server } from "node:http";
import type { ServerSettings } from "../config/server.ts";
import { answerClientErrors } from "./clientErrors.ts";
import { Connections } from "./connections.ts";

/** Milliseconds that a client may take to send its headers. */
const longestHeadersTimeout = 20_000;

export interface HttpServer {
  server: Server;
  connections: Connections;
}

/** A server that bounds what slow clients may take, and leaves no answer to Node. It doesn't listen yet. */
export function createHttpServer(
  app: RequestListener,
  {
    keepAliveTimeoutMs: keepAliveTimeout,
    requestTimeoutMs: requestTimeout,
    maxConnections,
  }: Pick<ServerSettings, "keepAliveTimeoutMs" | "requestTimeoutMs" | "maxConnections">,
): HttpServer {
  const headersTimeout = Math.min(requestTimeout, longestHeadersTimeout);
  const server = createServer(
    {
      keepAliveTimeout,
      requestTimeout,
      headersTimeout,
      connectionsCheckingInterval: headersTimeout / 4,
      requireHostHeader: false,
    },
    app,
  );
  server.maxConnections = maxConnections;
  for (const event of ["checkContinue", "checkExpectation"])
    server.on(event, (request, response) => server.emit("request", request, response));
  const connections = new Connections(server);
  answerClientErrors(server, connections);
  return { server, connections };
}
