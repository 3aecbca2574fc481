import { isIP } from "node:net";
import { buildConnector, EnvHttpProxyAgent, Pool, type Dispatcher } from "undici";
import type { SourceSettings } from "../config/sources.ts";
import { DownloadError } from "./downloadError.ts";
import { isPrivateAddress, lookUpPublicAddress } from "./publicAddresses.ts";

/** To one server. */
const connections = 16;

type AgentSettings = Pick<
  SourceSettings,
  "connectTimeoutMs" | "headersTimeoutMs" | "httpProxy" | "httpsProxy" | "noProxy"
>;

/**
 * The connections of a source, direct or by a proxy. A public server must not redirect us to machines behind our firewall.
 * What names resolve to is checked for direct connections only, because a proxy resolves them itself.
 */
export class Agents implements AsyncDisposable {
  /** For the source itself, at any address. */
  readonly first: Dispatcher;
  /** For redirect targets: only public addresses. */
  readonly #public: Dispatcher;
  /** Hosts that were reached directly at a public address at least once, whatever their names resolve to now. */
  readonly #publicHosts = new Set<string>();
  /** Hosts that were reached directly at a private address. */
  readonly #privateHosts = new Set<string>();

  constructor({
    connectTimeoutMs,
    headersTimeoutMs: headersTimeout,
    httpProxy,
    httpsProxy,
    noProxy,
  }: AgentSettings) {
    const http1 = { allowH2: false };
    const options = {
      httpProxy,
      httpsProxy,
      noProxy,
      ...http1,
      connections,
      connectTimeout: connectTimeoutMs,
      // For the response of a proxy to CONNECT.
      clientFactory: (origin: URL, pool: object) => new Pool(origin, { ...pool, headersTimeout }),
      proxyTls: http1,
      requestTls: http1,
    };
    const timeout = connectTimeoutMs;
    const connector = buildConnector({ ...http1, timeout });
    const connect: buildConnector.connector = (to, done) =>
      connector(to, (...[error, socket]) => {
        if (error) return done(error, null);
        const isPrivate = isPrivateAddress(socket.remoteAddress ?? "");
        (isPrivate ? this.#privateHosts : this.#publicHosts).add(to.hostname);
        done(null, socket);
      });
    this.first = new EnvHttpProxyAgent({ ...options, connect });
    this.#public = new EnvHttpProxyAgent({ ...options, connect: { timeout, lookup: lookUpPublicAddress } });
  }

  /** The agent for a redirect of `from`, which `agent` requested. Throws a DownloadError if `to` is a private address. */
  next(agent: Dispatcher, from: URL, to: URL): Dispatcher {
    if (agent !== this.#public && this.#isPrivate(bareHost(from))) return agent;
    const host = bareHost(to);
    if (isIP(host) !== 0 && isPrivateAddress(host))
      throw new DownloadError("failed", `${from.host} redirects to the private address ${host}`);
    return this.#public;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.first.destroy(), this.#public.destroy()]);
  }

  /** Of a host that was requested. A name that a proxy resolved counts as public. */
  #isPrivate(host: string): boolean {
    if (this.#publicHosts.has(host)) return false;
    return this.#privateHosts.has(host) || (isIP(host) !== 0 && isPrivateAddress(host));
  }
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
