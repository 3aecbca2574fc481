import { Agent, errors, request, type Dispatcher } from "undici";
import type { Config } from "../config.ts";
import { gunzipPieces } from "./gunzip.ts";
import { DownloadError, symFilePath, type Source, type WantedModule } from "./source.ts";

const maxRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);
/** 403 is what object stores say of an object that is absent. */
const absences = new Set([403, 404, 410]);

type Timeouts = Pick<Config, "connectTimeout" | "headersTimeout" | "stallTimeout">;

/** A symbol server, `https://` or `http://`. */
export class HttpSource implements Source {
  readonly address: string;
  fault: string | undefined;
  readonly #base: URL;
  readonly #agent: Agent;

  constructor(address: string, timeouts: Timeouts) {
    this.address = address;
    this.#base = new URL(address.endsWith("/") ? address : `${address}/`);
    this.#agent = new Agent({
      allowH2: false,
      connect: { timeout: timeouts.connectTimeout },
      headersTimeout: timeouts.headersTimeout,
      bodyTimeout: timeouts.stallTimeout,
    });
  }

  async open(module: WantedModule, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    let url = this.#symFileUrl(module);
    for (let hops = 0; ; hops++) {
      const response = await this.#get(url, signal);
      const { statusCode, headers } = response;
      if (statusCode === 200) return symText(response);
      await response.body.dump({ limit: 64 * 1024, signal }).catch(() => {});
      if (absences.has(statusCode)) return undefined;
      if (!redirects.has(statusCode)) throw new DownloadError("failed", `${url.href} answered ${statusCode}`);
      if (hops === maxRedirects)
        throw new DownloadError("failed", `${url.href} redirects over ${maxRedirects} times`);
      url = redirectTarget(url, headers.location);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  /** The source's own text with the path behind it: raw `+`, `~` and `@` must reach the server as they are. */
  #symFileUrl(module: WantedModule): URL {
    const url = new URL(this.#base.href + symFilePath(module));
    if (url.origin !== this.#base.origin || !url.pathname.startsWith(this.#base.pathname))
      throw new DownloadError("failed", `${module.debugFilename} leads out of ${this.address}`);
    return url;
  }

  async #get(url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      const response = await request(url, {
        dispatcher: this.#agent,
        headers: { "accept-encoding": "gzip", "user-agent": "tseliot/1.0" },
        signal,
      });
      this.fault = response.statusCode >= 500 ? `${url.host} answered ${response.statusCode}` : undefined;
      return response;
    } catch (error) {
      const failure = downloadError(url.href, error);
      this.fault = failure.message;
      throw failure;
    }
  }
}

function redirectTarget(from: URL, location: string | string[] | undefined): URL {
  if (typeof location !== "string" || !URL.canParse(location, from.href))
    throw new DownloadError("failed", `${from.href} redirects to nowhere`);
  const to = new URL(location, from);
  if (to.protocol !== "https:" && (to.protocol !== "http:" || from.protocol === "https:"))
    throw new DownloadError("failed", `${from.href} redirects to ${to.protocol}`);
  return to;
}

function symText({ body, headers }: Dispatcher.ResponseData): AsyncIterable<Uint8Array> {
  const pieces = received(body);
  const encoding = String(headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "gzip" || encoding === "x-gzip") return gunzipPieces(pieces);
  if (encoding !== "identity" && encoding !== "") {
    body.destroy();
    throw new DownloadError("failed", `unknown content encoding ${encoding}`);
  }
  const lengthIsKnown = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return lengthIsKnown ? pieces : endingInNewline(pieces);
}

async function* received(body: Dispatcher.ResponseData["body"]): AsyncIterable<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw downloadError("the sym file", error);
  }
}

/** Where only the closed connection says that the text ended, it may have been cut: whole sym files end in a newline. */
async function* endingInNewline(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let last: number | undefined;
  for await (const piece of pieces) {
    last = piece.at(-1) ?? last;
    yield piece;
  }
  if (last !== 0x0a) throw new DownloadError("failed", "the connection was closed in the middle of a line");
}

function downloadError(what: string, error: unknown): DownloadError {
  const isTimeout =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === "TimeoutError");
  const reason = error instanceof Error ? error.message : String(error);
  return new DownloadError(isTimeout ? "timeout" : "failed", `can't get ${what}: ${reason}`, {
    cause: error,
  });
}
