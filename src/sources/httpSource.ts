import { errors, request, type Agent, type Dispatcher } from "undici";
import type { SourceSettings } from "../config/sources.ts";
import { discardBody } from "../async/discardBody.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { Agents } from "./agents.ts";
import { Attempts } from "./attempts.ts";
import { decompress } from "./decompress.ts";
import { DownloadError } from "./downloadError.ts";
import { symFilePath, type Source, type SymText } from "./source.ts";

const maxRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);
/** Object stores respond with 403 if an object does not exist, and symbol servers with 400 to names that they don't allow. */
const absences = new Set([400, 403, 404, 410, 414, 451]);
const transient = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Informational responses (1xx) before the final one. */
const maxInformational = 20;
/** With undici's default, the socket is paused after every chunk. */
const highWaterMark = 1024 * 1024;

/** A symbol server, `https://` or `http://`. */
export class HttpSource implements Source {
  readonly address: string;
  fault: string | undefined;
  readonly #base: URL;
  readonly #maxBytes: number;
  readonly #attempts: Attempts;
  readonly #agents: Agents;

  constructor(address: string, settings: SourceSettings) {
    this.address = address;
    this.#base = new URL(address.endsWith("/") ? address : `${address}/`);
    this.#maxBytes = settings.maxDownloadBytes;
    this.#attempts = new Attempts(settings);
    this.#agents = new Agents(settings);
  }

  async open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    let url = this.#symFileUrl(module);
    let agent = this.#agents.first;
    for (let hops = 0; ; hops++) {
      const response = await this.#get(url, agent, signal);
      const { statusCode, headers } = response;
      if (statusCode === 200) return symText(response, this.#maxBytes);
      discardBody(response.body);
      if (absences.has(statusCode)) return undefined;
      if (!redirects.has(statusCode)) throw unexpectedStatus(statusCode, headers["retry-after"], url);
      if (hops === maxRedirects)
        throw new DownloadError("failed", `${this.address} redirects over ${maxRedirects} times`);
      const target = redirectTarget(url, headers.location);
      agent = this.#agents.next(agent, url, target);
      url = target;
    }
  }

  attempt<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#attempts.run(download, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agents[Symbol.asyncDispose]();
  }

  /** Only what has a meaning in a URL is encoded: `+`, `~` and `@` must reach the server as they are. */
  #symFileUrl(module: ModuleId): URL {
    return new URL(this.#base.href + symFilePath(module).replaceAll(/[%?#]/g, encodeURIComponent));
  }

  async #get(url: URL, dispatcher: Agent, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const flooded = new AbortController();
    let informational = 0;
    const options = {
      dispatcher,
      headers: { "accept-encoding": "gzip", "user-agent": "tseliot/1.0" },
      signal: AbortSignal.any([signal, flooded.signal]),
      highWaterMark,
      // Each of them restarts undici's timeout.
      onInfo() {
        if (++informational > maxInformational)
          flooded.abort(new Error(`over ${maxInformational} informational responses`));
      },
    };
    try {
      const response = await request(url, options);
      this.fault =
        response.statusCode >= 500 ? `${url.host} responded with ${response.statusCode}` : undefined;
      if (!transient.has(response.statusCode) && !redirects.has(response.statusCode))
        this.#attempts.responded();
      return response;
    } catch (error) {
      const failure = downloadError(`a response from ${url.host}`, error);
      this.fault = failure.message;
      throw failure;
    }
  }
}

function redirectTarget(from: URL, location: string | string[] | undefined): URL {
  if (typeof location !== "string" || !URL.canParse(location, from.href))
    throw new DownloadError("failed", `${from.host} redirects without a valid Location`);
  const to = new URL(location, from);
  if (to.protocol !== "https:" && (to.protocol !== "http:" || from.protocol === "https:"))
    throw new DownloadError("failed", `${from.host} redirects to ${to.protocol}`);
  return to;
}

/** `retryAfter` is a number of seconds or a date. */
function unexpectedStatus(
  status: number,
  retryAfter: string | string[] | undefined,
  url: URL,
): DownloadError {
  const text = String(retryAfter ?? "");
  const milliseconds = /^[0-9]+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return new DownloadError("failed", `${url.host} responded with ${status}`, {
    isTransient: transient.has(status),
    ...(Number.isNaN(milliseconds) ? {} : { retryAfter: Math.max(0, milliseconds) }),
  });
}

function symText({ body, headers }: Dispatcher.ResponseData, maxBytes: number): SymText {
  // Readers get the errors of the body. Once it is abandoned they don't matter.
  body.on("error", () => {});
  const rejection = tooLarge(Number(headers["content-length"] ?? 0), maxBytes);
  if (rejection) {
    body.destroy();
    throw rejection;
  }
  const lengthIsKnown = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return {
    // The header Content-Encoding of object stores is often wrong.
    pieces: decompress(received(body, maxBytes), lengthIsKnown ? undefined : endingInNewline),
    async [Symbol.asyncDispose]() {
      body.destroy();
    },
  };
}

async function* received(body: Dispatcher.ResponseData["body"], maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      const rejection = tooLarge(bytes, maxBytes);
      if (rejection) throw rejection;
      yield piece;
    }
  } catch (error) {
    throw error instanceof DownloadError ? error : downloadError("the sym file", error);
  }
}

function tooLarge(bytes: number, maxBytes: number): DownloadError | undefined {
  if (bytes <= maxBytes) return undefined;
  return new DownloadError("too_large", `the download has more than ${maxBytes} bytes`);
}

/** If only the closed connection marks the end, the text may be truncated. Complete sym files end with a newline. */
async function* endingInNewline(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let last: number | undefined;
  for await (const piece of pieces) {
    last = piece.at(-1) ?? last;
    yield piece;
  }
  if (last !== 0x0a)
    throw new DownloadError("failed", "the connection closed in the middle of a line", {
      isTransient: true,
    });
}

function downloadError(what: string, error: unknown): DownloadError {
  // undici's timeouts for connecting, headers and body, and the deadline's AbortSignal.
  const isTimeout =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === "TimeoutError");
  const reason = error instanceof Error ? error.message : String(error);
  return new DownloadError(isTimeout ? "timeout" : "failed", `can't get ${what}: ${reason}`, {
    cause: error,
    isTransient: true,
  });
}
