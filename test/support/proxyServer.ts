import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";

interface Request {
  /** `GET http://host/path` or `CONNECT host:443` */
  line: string;
  headers: IncomingMessage["headers"];
}

/** An HTTP proxy on loopback, which also tunnels. It resolves every name to loopback. */
export class ProxyServer implements AsyncDisposable {
  readonly requests: Request[] = [];
  readonly #server: Server;

  /** `credentials`, as in `user:password`: required of clients. */
  private constructor(credentials: string | undefined) {
    const expected = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
    const isAllowed = ({ method, url, headers }: IncomingMessage) => {
      this.requests.push({ line: `${method} ${url}`, headers });
      return !expected || headers["proxy-authorization"] === expected;
    };
    this.#server = createServer((incoming, response) => {
      if (!isAllowed(incoming)) {
        response.writeHead(407).end("sign in");
        return;
      }
      const { port, pathname, search } = new URL(incoming.url ?? "");
      const { "proxy-authorization": _, ...headers } = incoming.headers;
      request({ host: "127.0.0.1", port, path: pathname + search, headers }, (from) => {
        response.writeHead(from.statusCode ?? 500, from.headers);
        from.pipe(response);
      })
        .on("error", () => response.writeHead(502).end())
        .end();
    });
    this.#server.on("connect", (incoming: IncomingMessage, socket, head: Buffer) => {
      socket.on("error", () => {});
      if (!isAllowed(incoming)) {
        socket.end("HTTP/1.1 407 Sign In\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      const to = connect(Number(incoming.url?.split(":").at(-1)), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connected\r\n\r\n");
        to.write(head);
        socket.pipe(to).pipe(socket);
      });
      to.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
      socket.on("close", () => to.destroy());
    });
  }

  static async start(credentials?: string): Promise<ProxyServer> {
    const proxy = new ProxyServer(credentials);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** `127.0.0.1:8080` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
