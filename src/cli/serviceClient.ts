import { setTimeout } from "node:timers/promises";
import { Pool } from "undici";
import { CommandError } from "./commandError.ts";
import type { ApiVersion } from "../codec/parseRequest.ts";

export interface Reply {
  status: number;
  /** From the header Retry-After. */
  retryAfterSeconds: number | undefined;
  body: Buffer;
}

/** The service did not send a complete response. `unreachable` means that connecting failed. */
export class NoReply extends Error {
  override name = "NoReply";
  readonly kind: "timeout" | "reset" | "bad HTTP" | "unreachable";

  constructor(kind: NoReply["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const maxAttempts = 5;
const maxRetryAfterSeconds = 60;

interface PostOptions {
  /** Includes the wait for a free connection. */
  timeoutMs?: number;
  headers?: Record<string, string>;
}

/** A symbolication service. Requests beyond the number of connections wait for a free one. */
export class ServiceClient implements AsyncDisposable {
  readonly url: string;
  readonly #path: string;
  readonly #pool: Pool;
  readonly #signal: AbortSignal;

  /** After an abort, requests in flight end with a NoReply. Throws a CommandError for an invalid URL. */
  constructor(url: string, connections: number, signal: AbortSignal) {
    const parsed = /^https?:\/\//.test(url) ? URL.parse(url) : null;
    if (!parsed) throw new CommandError("usage", `not an http:// or https:// address: ${url}`);
    this.url = url.replace(/(\/+symbolicate\/v[45])?\/*$/, "");
    this.#path = new URL(this.url).pathname.replace(/\/$/, "");
    this.#pool = new Pool(parsed.origin, { connections, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
    this.#signal = signal;
    signal.addEventListener("abort", () => void this.#pool.destroy());
  }

  /** Throws a NoReply. */
  async post(
    { version, body }: { version: ApiVersion; body: string },
    { timeoutMs, headers }: PostOptions = {},
  ): Promise<Reply> {
    try {
      const reply = await this.#pool.request({
        method: "POST",
        path: `${this.#path}/symbolicate/${version}`,
        headers: { "content-type": "application/json", "user-agent": "tseliot/1.0", ...headers },
        body,
        signal: timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs),
      });
      const bytes = Buffer.from(await reply.body.arrayBuffer());
      const retryAfter = reply.headers["retry-after"];
      return {
        status: reply.statusCode,
        retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
        body: bytes,
      };
    } catch (error) {
      throw noReply(error, this.url, timeoutMs);
    }
  }

  /** Retries for as long as the service is overloaded and says when to retry. Throws a NoReply, or the abort reason. */
  async postWithRetries(...parameters: Parameters<ServiceClient["post"]>): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      this.#signal.throwIfAborted();
      const reply = await this.post(...parameters);
      const { status, retryAfterSeconds = Infinity } = reply;
      if (attempt === maxAttempts || status !== 503 || !(retryAfterSeconds <= maxRetryAfterSeconds))
        return reply;
      await setTimeout(1000 * retryAfterSeconds, undefined, { signal: this.#signal });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

const connectCodes =
  /^(ECONNREFUSED|E(HOST|NET)UNREACH|ENOTFOUND|EADDRNOTAVAIL|E[MN]FILE|EAI_.*|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/;
const tlsCodes = /^(ERR_(SSL|TLS)_.*|.*CERT.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|EPROTO)$/;

function noReply(error: unknown, url: string, timeoutMs = Infinity): NoReply {
  if (!(error instanceof Error)) throw error;
  const code = "code" in error ? String(error.code) : "";
  const reason = `${url}: ${error.message || code}`;
  if (error.name === "TimeoutError")
    return new NoReply("timeout", `${url}: no response within ${timeoutMs / 1000} s`, { cause: error });
  if (connectCodes.test(code) || tlsCodes.test(code))
    return new NoReply("unreachable", reason, { cause: error });
  if (error.name === "HTTPParserError") return new NoReply("bad HTTP", reason, { cause: error });
  if (/^(ECONNRESET|EPIPE|UND_ERR_.*)$/.test(code)) return new NoReply("reset", reason, { cause: error });
  throw error;
}
