import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Follows the connections of a server. The function that it gives ends each of them as soon as no request is being
 * answered on it. Node's own closing waits for the rest of headers that were half sent, which may never come.
 */
export function followConnections(server: Server): () => void {
  /** How many requests are being answered on each. */
  const connections = new Map<Socket, number>();
  let isClosing = false;

  function count(socket: Socket, change: number): void {
    const requests = connections.get(socket);
    if (requests === undefined) return;
    connections.set(socket, requests + change);
    endIfIdle(socket);
  }

  function endIfIdle(socket: Socket): void {
    if (isClosing && connections.get(socket) === 0) socket.destroySoon();
  }

  server.on("connection", (socket) => {
    connections.set(socket, 0);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    count(socket, 1);
    response.once("close", () => count(socket, -1));
  });
  return () => {
    isClosing = true;
    for (const socket of connections.keys()) endIfIdle(socket);
  };
}
