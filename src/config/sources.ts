import { z } from "zod";
import { integer } from "./formats.ts";
import { maskUrls } from "./maskUrls.ts";
import { constant, setting } from "./setting.ts";

const sourceUrls = z.string().transform((text, context) => {
  const urls = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const problem =
    urls.length === 0 ? "names no source" : urls.map((url) => sourceUrlProblem(url, text)).find(Boolean);
  if (problem === undefined) return urls;
  context.addIssue(problem);
  return z.NEVER;
});

function sourceUrlProblem(url: string, list: string): string | undefined {
  if (/[?#]/.test(url)) return "has a query or a fragment, which are never sent";
  if (!/^(https?|file):\/\//.test(url) || !URL.canParse(url)) return notAUrl(url, list);
  const { username, password, host } = new URL(url);
  if (!isDecodable(username + password))
    return "has a user name or a password with a % that is not percent-encoded as %25";
  if (url.startsWith("file:") && (host !== "" || /%2f/i.test(url)))
    return `has ${JSON.stringify(maskUrls(url))}: write a folder as file:///folder`;
  return undefined;
}

function notAUrl(url: string, list: string): string {
  // The comma may be part of a password, and this URL the start of it.
  if (list.includes("@"))
    return "has a URL that is not valid. In user names and passwords percent-encode , / ? # and %";
  return `has "${maskUrls(url)}", which is not an https://, http:// or file:/// URL`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A URL such as `http://user:password@proxy:3128`, or empty. As in curl, `http://` may be left out. */
const proxyUrl = z.string().transform((text, context) => {
  const url = text === "" || text.includes("://") ? text.trim() : `http://${text.trim()}`;
  const parsed = URL.parse(url);
  const isValid = parsed && ["http:", "https:"].includes(parsed.protocol);
  if (url === "" || (isValid && isDecodable(parsed.username + parsed.password))) return url;
  context.addIssue("is not an http:// or https:// URL");
  return z.NEVER;
});

/** The sources of sym files, and the limits of a download. */
export const SourceSettings = z.object({
  urls: setting(
    "ELIOT_SYMBOLS_URLS",
    sourceUrls,
    "https://symbols.mozilla.org/try/",
    "sources of sym files, in order, comma-separated: `https://`, `http://`, or `file:///folder` with the same layout (`X.sym`, or else `X.sym.gz`), also zipped as `file:///symbols.zip`, or a single `file:///X.sym`. `https://user:password@host/` signs in",
  ),
  httpProxy: setting(
    "HTTP_PROXY",
    proxyUrl,
    "",
    "proxy for `http://` sources, such as `http://user:password@proxy:3128`. The lower-case names of this and the next two variables work too, and have precedence",
  ),
  httpsProxy: setting(
    "HTTPS_PROXY",
    proxyUrl,
    "",
    "proxy for `https://` sources; empty means that of `HTTP_PROXY`",
  ),
  noProxy: setting(
    "NO_PROXY",
    z.string(),
    "",
    "hosts to ask without a proxy, comma-separated: `host`, which includes its subdomains, `host:port`, an address, or `*`",
  ),
  maxDownloads: setting(
    "ELIOT_MAX_DOWNLOADS",
    integer(1, 1000),
    "12",
    "maximum number of concurrent sym file downloads",
  ),
  /** Modules that may wait for a download slot; further ones are `overloaded`. */
  maxQueuedDownloads: constant(1000),
  /** Of a sym file, decompressed. */
  maxSymFileBytes: constant(4e9),
  /** Of a sym file as sent, compressed or not. */
  maxDownloadBytes: constant(2e9),
  connectTimeoutMs: constant(5_000),
  /** Until the response headers. */
  headersTimeoutMs: constant(20_000),
  /** Between two chunks of the body. */
  stallTimeoutMs: constant(20_000),
  /** For one whole download, without the time spent waiting for the converter. */
  downloadTimeoutMs: constant(300_000),
  /** Attempts per source while failures are transient. */
  downloadAttempts: constant(3),
  /** How long the circuit breaker of a source stays open. */
  breakerCooldownMs: constant(15_000),
  /** How long a missing, malformed or oversized sym file is remembered. */
  notFoundTtlMs: constant(600_000),
  /** How long a failed download is remembered. */
  downloadFailedTtlMs: constant(5_000),
});
export type SourceSettings = z.infer<typeof SourceSettings>;
