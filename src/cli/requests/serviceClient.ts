import { Pool } from "undici";
import { CommandError } from "../commandError.ts";
import type { ApiRequest } from "./readRequests.ts";

export interface Reply {
  status: number;
  /** Seconds, where the service says when to come again. */
  retryAfter: number | undefined;
  body: Buffer;
}

/**
 * There was no whole answer: it took too long, the connection ended or what came is no HTTP. `unreachable`: there was no
 * connection.
 */
export class NoReply extends Error {
  override name = "NoReply";
  readonly kind: "timeout" | "reset" | "bad HTTP" | "unreachable";

  constructor(kind: NoReply["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A symbolication service, asked over so many connections at most; what is more waits for one of them. */
export class ServiceClient implements AsyncDisposable {
  readonly url: string;
  readonly #path: string;
  readonly #pool: Pool;

  /**
   * `url`: such as `http://localhost:8000`. Once `signal` is aborted, what is under way ends with a NoReply. Throws a
   * CommandError.
   */
  constructor(url: string, connections: number, signal: AbortSignal) {
    const parsed = /^https?:\/\//.test(url) ? URL.parse(url) : null;
    if (!parsed) throw new CommandError("usage", `this is no http:// or https:// address: ${url}`);
    this.url = url.replace(/(\/symbolicate\/v[45])?\/*$/, "");
    this.#path = new URL(this.url).pathname.replace(/\/$/, "");
    this.#pool = new Pool(parsed.origin, { connections, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
    signal.addEventListener("abort", () => void this.#pool.destroy());
  }

  /** Throws a NoReply; `timeout` is in milliseconds, the wait for a connection included. */
  async post({ version, body }: ApiRequest, timeout: number): Promise<Reply> {
    try {
      const reply = await this.#pool.request({
        method: "POST",
        path: `${this.#path}/symbolicate/${version}`,
        headers: { "content-type": "application/json", "user-agent": "tseliot/1.0" },
        body,
        signal: AbortSignal.timeout(timeout),
      });
      const bytes = Buffer.from(await reply.body.arrayBuffer());
      const retryAfter = reply.headers["retry-after"];
      return {
        status: reply.statusCode,
        retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
        body: bytes,
      };
    } catch (error) {
      throw noReply(error, this.url, timeout);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

const connectCodes =
  /^(ECONNREFUSED|E(HOST|NET)UNREACH|ENOTFOUND|EADDRNOTAVAIL|E[MN]FILE|EAI_.*|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/;
const tlsCodes = /^(ERR_(SSL|TLS)_.*|.*CERT.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|EPROTO)$/;

function noReply(error: unknown, url: string, timeout: number): NoReply {
  if (!(error instanceof Error)) throw error;
  const code = "code" in error ? String(error.code) : "";
  const reason = `${url}: ${error.message || code}`;
  if (error.name === "TimeoutError")
    return new NoReply("timeout", `${url}: no answer within ${timeout / 1000} s`, { cause: error });
  if (connectCodes.test(code) || tlsCodes.test(code))
    return new NoReply("unreachable", reason, { cause: error });
  if (error.name === "HTTPParserError") return new NoReply("bad HTTP", reason, { cause: error });
  if (/^(ECONNRESET|EPIPE|UND_ERR_.*)$/.test(code)) return new NoReply("reset", reason, { cause: error });
  throw error;
}
