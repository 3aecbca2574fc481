import { Semaphore } from "../async/semaphore.ts";
import type { ServerSettings } from "../config/server.ts";
import { HttpError } from "./httpError.ts";

/** The service is at a limit. The response is a 503 that the client may retry in a second. */
export class RequestRefused extends HttpError {
  override name = "RequestRefused";
  readonly limit: "requests" | "bodies";

  constructor(limit: "requests" | "bodies") {
    super(503);
    this.limit = limit;
  }
}

/** A request's part of the memory and in-flight limits, until it is disposed of. */
export interface Reservation extends Disposable {
  /** Counts bytes of the request's body, of its lookup results or of its response. Throws a RequestRefused. */
  readonly reserve: (bytes: number) => void;
  readonly release: (bytes: number) => void;
  /** Counts the request as in flight. Called once its body is there, so that slow clients block nobody. Throws a RequestRefused. */
  readonly begin: () => void;
  /** Runs work that needs much memory. Only few requests do so at the same time. */
  readonly runLarge: (work: () => Promise<void>) => Promise<void>;
}

const maxLarge = 2;

/** Limits the number of requests in flight, and the bytes of their bodies and responses. */
export class Admission {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #large = new Semaphore(maxLarge);
  #requests = 0;
  #bytes = 0;

  constructor({ maxRequests, maxBodiesBytes }: Pick<ServerSettings, "maxRequests" | "maxBodiesBytes">) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBodiesBytes;
  }

  /**
   * Whether over half of the allowed requests are in flight. If so, cache misses fail at once: the other half is reserved for
   * requests that need no download.
   */
  get isCrowded(): boolean {
    return this.#requests > this.#maxRequests / 2;
  }

  /** How close it is to its limits, from 0 to 1. */
  get fill(): number {
    return Math.max(this.#requests / this.#maxRequests, this.#bytes / this.#maxBytes);
  }

  /** Throws a RequestRefused if as many requests as allowed are in flight. */
  admit(): Reservation {
    this.#checkRequests();
    let reservedBytes = 0;
    let requests = 0;
    let isOver = false;
    return {
      reserve: (bytes) => {
        // Work that goes on for a client that has left ends soon.
        if (isOver) return;
        if (this.#bytes + bytes > this.#maxBytes) throw new RequestRefused("bodies");
        this.#bytes += bytes;
        reservedBytes += bytes;
      },
      release: (bytes) => {
        if (isOver) return;
        this.#bytes -= bytes;
        reservedBytes -= bytes;
      },
      begin: () => {
        this.#checkRequests();
        this.#requests++;
        requests++;
      },
      runLarge: (work) => this.#large.run(work),
      [Symbol.dispose]: () => {
        isOver = true;
        this.#requests -= requests;
        this.#bytes -= reservedBytes;
      },
    };
  }

  #checkRequests(): void {
    if (this.#requests >= this.#maxRequests) throw new RequestRefused("requests");
  }
}
