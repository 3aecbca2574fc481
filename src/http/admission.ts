import type { Config } from "../config.ts";
import { HttpError } from "./httpError.ts";

/** A request is one too many: it is answered with 503, and may come again in a second. */
export class RequestRefused extends HttpError {
  override name = "RequestRefused";
  /** What was at its bound. */
  readonly bound: "requests" | "bodies";

  constructor(bound: "requests" | "bodies") {
    super(503);
    this.bound = bound;
  }
}

/** A request's share of what all may take together, until it is disposed of. */
export interface Place extends Disposable {
  /** Counts bytes of the request's body. Throws a RequestRefused. */
  readonly hold: (bytes: number) => void;
}

/** How many requests for symbols may be under way at a time, and how many bytes their bodies may have together. */
export class Admission {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #requests = 0;
  #bytes = 0;

  constructor({ maxRequests, maxBodiesBytes }: Pick<Config, "maxRequests" | "maxBodiesBytes">) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBodiesBytes;
  }

  /**
   * Whether over half of the places are taken. While they are, no more requests may begin to wait for symcaches to be
   * made: so the other half is always left to those that find theirs in the folder.
   */
  get isCrowded(): boolean {
    return this.#requests > this.#maxRequests / 2;
  }

  /** How full it is, from 0 to 1. */
  get fill(): number {
    return Math.max(this.#requests / this.#maxRequests, this.#bytes / this.#maxBytes);
  }

  /** Throws a RequestRefused. */
  enter(): Place {
    if (this.#requests >= this.#maxRequests) throw new RequestRefused("requests");
    this.#requests++;
    let held = 0;
    return {
      hold: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) throw new RequestRefused("bodies");
        this.#bytes += bytes;
        held += bytes;
      },
      [Symbol.dispose]: () => {
        this.#requests--;
        this.#bytes -= held;
      },
    };
  }
}
