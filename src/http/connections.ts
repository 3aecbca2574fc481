import { STATUS_CODES, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How long a client that still sends may take to read the last response on its connection. */
const lingerMs = 5000;

/** Time for a client that has just connected to send its request. */
const arrivalMs = 250;

const errorStatuses = new Map<unknown, number>([
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
  ["HPE_HEADER_OVERFLOW", 431],
]);

const withoutRequestTimeout = new WeakSet<Socket>();

/** Lets the client take as long as it likes to send its request. The caller must make sure that the client does not stall. */
export function disableRequestTimeout(response: ServerResponse): void {
  const { socket } = response.req;
  withoutRequestTimeout.add(socket);
  response.once("close", () => withoutRequestTimeout.delete(socket));
}

/** Closes the connection of a client that takes longer to receive the rest of its response. */
export function limitResponseTime(response: ServerResponse, timeoutMs: number): void {
  if (response.closed) return;
  const timer = setTimeout(() => response.destroy(), timeoutMs).unref();
  response.once("close", () => clearTimeout(timer));
}

interface Connection {
  /** The responses that have not been sent yet, oldest first. */
  pending: Set<ServerResponse>;
  /** The response to the last request, until both are complete. */
  latest: ServerResponse | undefined;
  /** Whether no request has begun on it. */
  isNew: boolean;
}

/**
 * The open connections of a server. Node closes idle ones, but it counts a connection as active while half of a request's
 * headers is there, it loses track of a CONNECT, and its own error responses are not JSON, have no CORS headers and may
 * overtake a pending response.
 */
export class Connections {
  readonly #connections = new Map<Socket, Connection>();
  #isDraining = false;
  #isClosing = false;

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#connections.set(socket, { pending: new Set(), latest: undefined, isNew: true });
      socket.once("close", () => this.#connections.delete(socket));
    });
    // Prepended, because the app may respond at once.
    server.prependListener("request", ({ socket }, response) => this.#track(socket, response));
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && withoutRequestTimeout.has(socket)) return;
      if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
      else this.#refuse(socket, errorStatuses.get(error.code) ?? 400);
    });
    server.on("connect", ({ socket }) => {
      // Node no longer listens for errors.
      socket.on("error", () => {});
      this.#refuse(socket, 400);
    });
  }

  /** From now on each response announces that it is the last one on its connection. */
  drain(): void {
    this.#isDraining = true;
    for (const connection of this.#connections.values()) announceClose(connection);
  }

  /** Closes each connection as soon as no response is pending on it. On a new one, the first request may be on its way. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    for (const [socket, connection] of this.#connections) {
      const closeIdle = () => connection.pending.size === 0 && close(socket, connection);
      if (connection.isNew) setTimeout(closeIdle, arrivalMs);
      else closeIdle();
    }
  }

  destroyAll(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #track(socket: Socket, response: ServerResponse): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    connection.latest = response;
    connection.isNew = false;
    connection.pending.add(response);
    if (this.#isDraining) announceClose(connection);
    response.once("close", () => {
      connection.pending.delete(response);
      // The next request on the connection comes after the rest of a body that nobody reads.
      if (!response.req.complete) response.req.resume();
      else if (connection.latest === response) connection.latest = undefined;
      if (this.#isClosing && connection.pending.size === 0) close(socket, connection);
    });
  }

  /** Responds to a broken request, after the pending responses to the requests before it, and closes the connection. */
  #refuse(socket: Socket, status: number): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    const broken = isReceiving(connection) ? connection.latest : undefined;
    if (broken?.headersSent) return void socket.destroy();
    const respond = () => {
      if (socket.writable) linger(socket, errorResponse(status));
    };
    const previous = [...connection.pending].findLast((response) => response !== broken);
    if (previous) previous.once("close", respond);
    else respond();
  }
}

/** Whether the last request has not been received completely. */
function isReceiving({ latest }: Connection): boolean {
  return latest?.req.complete === false;
}

function close(socket: Socket, connection: Connection): void {
  if (isReceiving(connection)) linger(socket);
  else socket.destroySoon();
}

/** Closes a connection but keeps receiving for a while: otherwise the client's system would drop what the client has not read. */
function linger(socket: Socket, response = ""): void {
  socket.end(response);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
}

function announceClose({ pending }: Connection): void {
  const last = [...pending].at(-1);
  // Makes Node add `Connection: close`.
  if (last && !last.headersSent) last.shouldKeepAlive = false;
}

function errorResponse(status: number): string {
  const title = `${status} ${STATUS_CODES[status]}`;
  const body = JSON.stringify({ title });
  return (
    `HTTP/1.1 ${title}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
    `Access-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`
  );
}
