import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Milliseconds in which a client that still sends may read the answer that it has got already. */
const lingering = 5000;

/** The connections of a server, each of which ends behind the answers to what came on it. */
export class Connections {
  readonly #connections = new Map<Socket, Connection>();
  #endSoon = false;
  #endNow = false;

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#connections.set(socket, new Connection(socket));
      socket.once("close", () => this.#connections.delete(socket));
    });
    // Before the app, which may answer at once.
    server.prependListener("request", ({ socket }, response) => {
      const connection = this.#connections.get(socket);
      connection?.follow(response);
      if (this.#endSoon) connection?.announceEnd();
      response.once("close", () => this.#endNow && connection?.endIfIdle());
    });
  }

  /** Answers what can't become a request, or no whole one, and ends its connection. */
  fail(socket: Socket, answer: string): void {
    this.#connections.get(socket)?.fail(answer);
  }

  /** From now on clients are told with each answer that their connection ends behind it. */
  endSoon(): void {
    this.#endSoon = true;
    for (const connection of this.#connections.values()) connection.announceEnd();
  }

  /**
   * Ends each connection as soon as no request is being answered on it. Node's own closing waits for the rest of headers
   * that were half sent, which may never come.
   */
  end(): void {
    this.#endNow = true;
    for (const connection of this.#connections.values()) connection.endIfIdle();
  }
}

class Connection {
  readonly #socket: Socket;
  /** Answers that have not gone out yet, oldest first. */
  readonly #unanswered = new Set<ServerResponse>();
  /** The answer to the request that came last. */
  #latest: ServerResponse | undefined;
  #hasFailed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    // Node listens for errors no more once a client has asked for a tunnel.
    socket.on("error", () => {});
    // By this Node ends a connection behind its last answer.
    const destroySoon = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (this.#hasFailed || this.#isCut) this.#linger();
      else destroySoon();
    };
  }

  /** Whether the rest of the latest request has yet to come. */
  get #isCut(): boolean {
    return this.#latest?.req.complete === false;
  }

  follow(response: ServerResponse): void {
    this.#latest = response;
    this.#unanswered.add(response);
    response.once("close", () => {
      this.#unanswered.delete(response);
      // The rest of a body that nobody reads goes by.
      if (!response.req.complete) response.req.resume();
      else if (this.#latest === response) this.#latest = undefined;
    });
  }

  announceEnd(): void {
    const last = [...this.#unanswered].at(-1);
    if (last && !last.headersSent) last.setHeader("Connection", "close");
  }

  endIfIdle(): void {
    if (this.#unanswered.size === 0) this.#socket.destroySoon();
  }

  fail(answer: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const cut = this.#isCut ? this.#latest : undefined;
    if (cut?.headersSent) {
      this.#socket.destroy();
      return;
    }
    const before = [...this.#unanswered].findLast((response) => response !== cut);
    const send = () => {
      if (this.#socket.writable) this.#linger(answer);
    };
    if (before) before.once("close", send);
    else send();
  }

  /**
   * Ends the connection when the client does, or after a while. To close it while more comes in would make the client's
   * machine throw away what it has not read yet of the answer.
   */
  #linger(answer = ""): void {
    this.#socket.end(answer);
    const timer = setTimeout(() => this.#socket.destroy(), lingering);
    this.#socket.once("close", () => clearTimeout(timer));
  }
}
