import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";

const tlsFixtures = new URL("../fixtures/tls/", import.meta.url);
/** Of `localhost` and 127.0.0.1, signed by itself. */
export const certificatePath = fileURLToPath(new URL("certificate.pem", tlsFixtures));
export const certificate = await readFile(certificatePath, "utf8");

/** What is done for a request of `path` on a connection: any bytes, pauses and resets. The socket is closed behind it, unless it keeps it. */
export type Script = (socket: Socket, path: string) => unknown;

/** A symbol server on loopback, unless another address is asked for, that does what its script says, byte by byte, and counts. */
export class SymbolServer implements AsyncDisposable {
  script: Script;
  /** Paths that were asked for, in order. */
  readonly hits: string[] = [];
  /** The `Authorization` of each of these requests. */
  readonly authorizations: (string | undefined)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  readonly #scheme: string;

  private constructor(script: Script, key: string | undefined) {
    this.script = script;
    const serve = (socket: Socket) => this.#serve(socket);
    this.#scheme = key ? "https" : "http";
    this.#server = key ? createTlsServer({ key, cert: certificate }, serve) : createServer(serve);
  }

  /** `host`: an address of this machine. */
  static async start(script: Script, host = "127.0.0.1"): Promise<SymbolServer> {
    return await new SymbolServer(script, undefined).#listen(host);
  }

  static async startTls(script: Script): Promise<SymbolServer> {
    const key = await readFile(new URL("key.pem", tlsFixtures), "utf8");
    return await new SymbolServer(script, key).#listen("127.0.0.1");
  }

  async #listen(host: string): Promise<this> {
    this.#server.listen(0, host);
    await once(this.#server, "listening");
    return this;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${this.#scheme}://${address}:${port}/`;
  }

  /** Ends its connections, and refuses others until it listens again. Gives what makes it do that, at the same address. */
  async stop(): Promise<() => Promise<void>> {
    const { address, port } = this.#server.address() as AddressInfo;
    await this[Symbol.asyncDispose]();
    return async () => {
      this.#server.listen(port, address);
      await once(this.#server, "listening");
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let head = "";
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      const path = head.split(" ")[1] ?? "";
      this.authorizations.push(/^authorization: (.*)\r$/im.exec(head)?.[1]);
      head = "";
      this.hits.push(path);
      void this.script(socket, path);
    });
  }
}

/** A whole answer, and the end of the connection. */
export function reply(
  status: string,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
): Script {
  return (socket) => {
    const all = { "Content-Length": String(body.length), Connection: "close", ...headers };
    socket.write(
      `HTTP/1.1 ${status}\r\n${Object.entries(all)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("")}\r\n`,
    );
    socket.end(body);
  };
}

/** Script after script, the last for all that follow. */
export function inSequence(...scripts: [Script, ...Script[]]): Script {
  let next = 0;
  return (socket, path) => (scripts[Math.min(next++, scripts.length - 1)] ?? scripts[0])(socket, path);
}
