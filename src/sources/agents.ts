import { isIP } from "node:net";
import { Agent, buildConnector } from "undici";
import type { SourceSettings } from "../config/sources.ts";
import { DownloadError } from "./downloadError.ts";
import { isPrivateAddress, lookUpPublicAddress } from "./publicAddresses.ts";

/** To one server. */
const connections = 16;

type AgentSettings = Pick<SourceSettings, "connectTimeoutMs" | "headersTimeoutMs" | "stallTimeoutMs">;

/** The connections of a source. A public server must not redirect us to machines behind our firewall. */
export class Agents implements AsyncDisposable {
  /** For the source itself, at any address. */
  readonly first: Agent;
  /** For redirect targets: only public addresses. */
  readonly #public: Agent;
  /** Hosts that were reached at a public address at least once, whatever their names resolve to now. */
  readonly #publicHosts = new Set<string>();

  constructor({
    connectTimeoutMs: timeout,
    headersTimeoutMs: headersTimeout,
    stallTimeoutMs: bodyTimeout,
  }: AgentSettings) {
    const options = { allowH2: false, connections, headersTimeout, bodyTimeout };
    const connector = buildConnector({ allowH2: false, timeout });
    const connect: buildConnector.connector = (to, done) =>
      connector(to, (...[error, socket]) => {
        if (error) return done(error, null);
        if (!isPrivateAddress(socket.remoteAddress ?? "")) this.#publicHosts.add(to.hostname);
        done(null, socket);
      });
    this.first = new Agent({ ...options, connect });
    this.#public = new Agent({ ...options, connect: { timeout, lookup: lookUpPublicAddress } });
  }

  /** The agent for a redirect of `from`, which `agent` requested. Throws a DownloadError if `to` is a private address. */
  next(agent: Agent, from: URL, to: URL): Agent {
    if (agent !== this.#public && !this.#publicHosts.has(bareHost(from))) return agent;
    const host = bareHost(to);
    if (isIP(host) !== 0 && isPrivateAddress(host))
      throw new DownloadError("failed", `${from.host} redirects to the private address ${host}`);
    return this.#public;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.first.destroy(), this.#public.destroy()]);
  }
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
