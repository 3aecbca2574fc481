import { setTimeout } from "node:timers/promises";
import { Agent, request } from "undici";
import { randomRequest } from "../support/randomRequest.ts";
import { postHead, rawClient } from "../support/rawClient.ts";
import type { Random } from "../support/scale.ts";
import type { Answered, Oracle } from "./oracle.ts";
import type { Population } from "./modules.ts";
import { crashPings, oldRequest, profile, smallRequest, type SoakRequest } from "./request.ts";
import type { Counters } from "./counters.ts";
import type { FaultSchedule } from "./faultSchedule.ts";

/** The response must begin within this time, which is longer than all attempts of a download. */
const timeoutMs = 120_000;
/** Requests at once: more than there are places for. */
const crowd = 300;
/** Limits of the service that clients meet. */
export const clientLimits = {
  ELIOT_MAX_REQUESTS: "200",
  "server.requestTimeoutMs": "30000",
  "server.responseTimeoutMs": "30000",
};
const otherPaths: [path: string, ...statuses: number[]][] = [
  // 503 where a disk that others keep busy takes over a second to flush a small file.
  ["/__heartbeat__", 200, 503],
  ["/__lbheartbeat__", 200],
  ["/__version__", 200],
  ["/", 200],
  ["/static/page.css", 200],
  ["/nosuch", 404],
  ["/symbolicate/v5", 405],
];

export interface ClientParts {
  url: string;
  population: Population;
  faultSchedule: FaultSchedule;
  oracle: Oracle;
  counters: Counters;
}

/** It ends connections that were not used for ten seconds, though the service would keep them. */
export function newAgent(): Agent {
  return new Agent({ keepAliveMaxTimeout: 10_000, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
}

/** A client that sends all kinds of requests and checks every response. */
export class Client {
  readonly #parts: ClientParts;
  readonly #random: Random;
  readonly #agent: Agent;
  readonly #signal: AbortSignal;

  constructor(parts: ClientParts, random: Random, agent: Agent, signal: AbortSignal) {
    this.#parts = parts;
    this.#random = random;
    this.#agent = agent;
    this.#signal = signal;
  }

  /** Does one thing that clients do. */
  async act(): Promise<void> {
    const { population } = this.#parts;
    const dice = this.#random.below(1000);
    if (dice < 300) await Promise.all(profile(this.#random, population).map((asked) => this.#ask(asked)));
    else if (dice < 650) await this.#ask(crashPings(this.#random, population));
    else if (dice < 770) await this.#ask(oldRequest(this.#random, population));
    else if (dice < 850) await this.#askBadly();
    else if (dice < 930) await this.#leave();
    else if (dice < 950) await this.#trickle();
    else await this.#lookAround();
  }

  /** Is many that come at once, and go. */
  async crowd(): Promise<void> {
    const { faultSchedule, population } = this.#parts;
    // Requests that have to wait for downloads find no place meanwhile.
    const gone = faultSchedule.excuseAll(0);
    const agent = newAgent();
    const asked = Array.from({ length: crowd }, () => smallRequest(this.#random, population));
    await Promise.all(asked.map((each) => this.#ask(each, agent)));
    await agent.destroy();
    gone();
  }

  async #ask(asked: SoakRequest, agent = this.#agent): Promise<void> {
    const path = `/symbolicate/${asked.version}`;
    const answered = await this.#send("POST", path, asked.headers, asked.body, agent);
    if (answered) this.#parts.oracle.check(asked, answered);
  }

  async #askBadly(): Promise<void> {
    const { steady, usual } = this.#parts.population;
    const { path, body, headers } = randomRequest(this.#random, [...steady.slice(0, 2), ...usual]);
    const answered = await this.#send("POST", path, headers, body);
    if (answered) this.#parts.oracle.status(answered, 200, 400, 413, 415);
  }

  async #lookAround(): Promise<void> {
    const [path, ...statuses] = this.#random.pick(otherPaths);
    const answered = await this.#send("GET", path, {});
    if (answered) this.#parts.oracle.status(answered, ...statuses);
  }

  /** Disconnects while it sends its request, waits for the response, or reads it. */
  async #leave(): Promise<void> {
    const random = this.#random;
    const asked = crashPings(random, this.#parts.population);
    const whole = Buffer.concat([Buffer.from(headOf(asked)), asked.body]);
    const sent = random.below(2) === 0 ? whole.length : random.below(whole.length);
    using client = await rawClient(this.#parts.url);
    client.send(whole.subarray(0, sent));
    await setTimeout(random.below(2) * random.below(300));
    if (random.below(2) === 0) client.socket.resetAndDestroy();
    this.#parts.counters.answered("disconnected");
  }

  /** Takes its time to send its request. */
  async #trickle(): Promise<void> {
    const asked = smallRequest(this.#random, this.#parts.population);
    using client = await rawClient(this.#parts.url);
    client.send(headOf(asked));
    const from = performance.now();
    for (let at = 0; at < asked.body.length; at += 40) {
      client.send(asked.body.subarray(at, at + 40));
      await setTimeout(100);
    }
    try {
      const { status, head, body: text } = await client.response();
      const isRetryAfterSaid = head.includes("\r\nretry-after: ");
      const until = performance.now();
      this.#parts.oracle.check(asked, { status, isRetryAfterSaid, text, from, until });
    } catch (error) {
      this.#parts.counters.isWrong(`no response: ${String(error)}`);
    }
  }

  /** Undefined if it was told to stop meanwhile, or if there was no response. */
  async #send(
    method: "GET" | "POST",
    path: string,
    headers: Record<string, string>,
    body?: Uint8Array,
    agent = this.#agent,
  ): Promise<Answered | undefined> {
    const from = performance.now();
    try {
      const response = await request(this.#parts.url + path, {
        method,
        headers,
        body: body ?? null,
        dispatcher: agent,
        signal: this.#signal,
      });
      const text = await response.body.text();
      const isRetryAfterSaid = response.headers["retry-after"] !== undefined;
      return { status: response.statusCode, isRetryAfterSaid, text, from, until: performance.now() };
    } catch (error) {
      if (!this.#signal.aborted) this.#parts.counters.isWrong(`no response to ${path}: ${String(error)}`);
      return undefined;
    }
  }
}

function headOf({ version, headers, body }: SoakRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return postHead(body.length, lines.join("")).replace("v5", version);
}
