import { STATUS_CODES, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Connections } from "./connections.ts";

const statuses = new Map<unknown, number>([
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["HPE_HEADER_OVERFLOW", 431],
]);

/** Connections on which a request may take longer than others. */
const patient = new WeakSet<Socket>();

/** Lets the client take as long as it likes to send its request. Whoever reads it must see that it doesn't stall. */
export function allowTime(response: ServerResponse): void {
  const { socket } = response.req;
  patient.add(socket);
  response.once("close", () => patient.delete(socket));
}

/** Answers what never becomes a request, for it is too slow, too large or no HTTP, as all errors are answered. */
export function answerClientErrors(server: Server, connections: Connections): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && patient.has(socket)) return;
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else connections.fail(socket, rawAnswer(statuses.get(error.code) ?? 400));
  });
  server.on("connect", (_request, socket: Socket) => connections.fail(socket, rawAnswer(400)));
}

function rawAnswer(status: number): string {
  const reason = `${status} ${STATUS_CODES[status]}`;
  const body = JSON.stringify({ title: reason });
  return (
    `HTTP/1.1 ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
    `Access-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`
  );
}
