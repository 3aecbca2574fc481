import { request, type Dispatcher } from "undici";
import type { SourceSettings } from "../config/sources.ts";
import { discardBody } from "../async/discardBody.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { Agents } from "./agents.ts";
import { Attempts } from "./attempts.ts";
import { DownloadError, networkError } from "./downloadError.ts";
import { symTextOf } from "./responseBody.ts";
import { symFilePaths, type Source, type SymText } from "./source.ts";

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
  readonly #authorization: string | undefined;
  readonly #settings: SourceSettings;
  readonly #attempts: Attempts;
  readonly #agents: Agents;

  constructor(address: string, settings: SourceSettings) {
    this.#base = new URL(address.endsWith("/") ? address : `${address}/`);
    this.#authorization = authorizationOf(this.#base);
    // What is requested and named from here on has no credentials.
    this.#base.username = "";
    this.#base.password = "";
    this.address = this.#authorization === undefined ? address : this.#base.href;
    this.#settings = settings;
    this.#attempts = new Attempts(settings);
    this.#agents = new Agents(settings);
  }

  async open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined> {
    for (const path of symFilePaths(module)) {
      const symText = await this.#openPath(path, signal);
      if (symText) return symText;
    }
    return undefined;
  }

  async #openPath(path: string, signal: AbortSignal): Promise<SymText | undefined> {
    let url = this.#urlOf(path);
    let agent = this.#agents.first;
    let authorization = this.#authorization;
    for (let hops = 0; ; hops++) {
      const response = await this.#get(url, authorization, agent, signal);
      const { statusCode, headers } = response;
      if (statusCode === 200) return symTextOf(response, this.#settings.maxDownloadBytes);
      discardBody(response.body);
      if (absences.has(statusCode)) return undefined;
      if (!redirects.has(statusCode)) throw unexpectedStatus(statusCode, headers["retry-after"], url);
      if (hops === maxRedirects)
        throw new DownloadError("failed", `${this.address} redirects over ${maxRedirects} times`);
      const target = redirectTarget(url, headers.location);
      agent = this.#agents.next(agent, url, target);
      if (target.origin !== this.#base.origin) authorization = undefined;
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
  #urlOf(path: string): URL {
    return new URL(this.#base.href + path.replaceAll(/[%?#]/g, encodeURIComponent));
  }

  async #get(
    url: URL,
    authorization: string | undefined,
    dispatcher: Dispatcher,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const flooded = new AbortController();
    let informational = 0;
    const options = {
      dispatcher,
      headers: {
        "accept-encoding": "gzip",
        "user-agent": "tseliot/1.0",
        ...(authorization && { authorization }),
      },
      headersTimeout: this.#settings.headersTimeoutMs,
      bodyTimeout: this.#settings.stallTimeoutMs,
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
      const failure = networkError(`a response from ${url.host}`, error);
      this.fault = failure.message;
      throw failure;
    }
  }
}

/** Undefined without credentials in the URL. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function redirectTarget(from: URL, location: string | string[] | undefined): URL {
  // undici decodes headers as Latin-1, a character per byte. Encoded as such, each byte stays what it is.
  const encoded = String(location).replaceAll(/[\u0080-\u00FF]/g, percentEncode);
  if (typeof location !== "string" || !URL.canParse(encoded, from.href))
    throw new DownloadError("failed", `${from.host} redirects without a valid Location`);
  const to = new URL(encoded, from);
  if (to.protocol !== "https:" && (to.protocol !== "http:" || from.protocol === "https:"))
    throw new DownloadError("failed", `${from.host} redirects to ${to.protocol}`);
  return to;
}

function percentEncode(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase()}`;
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
