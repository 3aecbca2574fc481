import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is done for a request in place of what a store does. The body of a PUT is still to be read. */
export type StoreScript = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A store on loopback that is as it should be, until a script for an object says otherwise. */
export class ScriptedS3Server implements AsyncDisposable {
  /** By path: `/bucket/v1/a.so/AB….symc.zst`. */
  readonly objects = new Map<string, Buffer>();
  /** By method and path. */
  readonly scripts = new Map<string, StoreScript>();
  /** What was asked for, in order, as `GET /bucket/v1/…`. */
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<ScriptedS3Server> {
    const store = new ScriptedS3Server();
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get settings(): Record<string, string> {
    return {
      ELIOT_SHARED_CACHE_URL: "s3://bucket",
      ELIOT_SHARED_CACHE_ENDPOINT: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url ?? "");
    const what = `${request.method} ${path}`;
    this.requests.push(what);
    // Who asked may leave at any moment.
    request.on("error", () => {});
    response.on("error", () => {});
    const script = this.scripts.get(what);
    if (script) await script(request, response);
    else if (request.method === "HEAD") response.writeHead(this.objects.has(path) ? 200 : 404).end();
    else if (request.method === "PUT") await this.put(path, request, response);
    else this.get(path, request, response);
  }

  get(path: string, { headers }: IncomingMessage, response: ServerResponse): void {
    const object = this.objects.get(path);
    if (!object) {
      response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
      return;
    }
    const etag = etagOf(object);
    if (headers["if-match"] !== undefined && headers["if-match"] !== etag) {
      response.writeHead(412).end("<Error><Code>PreconditionFailed</Code></Error>");
      return;
    }
    const [, from, to] = (/^bytes=([0-9]+)-([0-9]+)$/.exec(headers.range ?? "") ?? []).map(Number) as [
      number,
      number,
      number,
    ];
    const part = object.subarray(from, to + 1);
    const range = `bytes ${from}-${from + part.length - 1}/${object.length}`;
    response.writeHead(206, { "content-length": part.length, "content-range": range, etag }).end(part);
  }

  async put(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces = await Array.fromAsync(request as AsyncIterable<Buffer>).catch(() => undefined);
    if (!pieces) return;
    const body = Buffer.concat(pieces);
    const sha256 = createHash("sha256").update(body).digest("hex");
    if (request.headers["x-amz-content-sha256"] !== sha256) response.writeHead(400).end();
    else if (request.headers["if-none-match"] === "*" && this.objects.has(path))
      response.writeHead(412).end();
    else {
      this.objects.set(path, body);
      response.writeHead(200).end();
    }
  }
}

function etagOf(object: Buffer): string {
  return `"${createHash("md5").update(object).digest("hex")}"`;
}
