import { Semaphore } from "../async/semaphore.ts";
import type { ServerSettings } from "../config/server.ts";
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
export interface Share extends Disposable {
  /** Counts bytes of the request's body, of what is found for it, or of its answer. Throws a RequestRefused. */
  readonly hold: (bytes: number) => void;
  /** Gives some of these back. */
  readonly release: (bytes: number) => void;
  /** Takes a place among the requests under way, once the body is there. Throws a RequestRefused. */
  readonly takePlace: () => void;
  /** Does what takes much memory as soon as few others do. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
}

/** Requests that may do at the same time what takes much memory. */
const turns = 2;

/**
 * How many requests for symbols may be under way at a time, and how many bytes their bodies and answers may have together.
 * A client that is slow to send its body takes nobody's place meanwhile.
 */
export class Admission {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #turns = new Semaphore(turns);
  #requests = 0;
  #bytes = 0;

  constructor({ maxRequests, maxBodiesBytes }: Pick<ServerSettings, "maxRequests" | "maxBodiesBytes">) {
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

  /** Throws a RequestRefused, too, where all places are taken already. */
  admit(): Share {
    this.#checkPlaces();
    let held = 0;
    let places = 0;
    let isOver = false;
    return {
      hold: (bytes) => {
        // What nobody waits for any more ends soon.
        if (isOver) return;
        if (this.#bytes + bytes > this.#maxBytes) throw new RequestRefused("bodies");
        this.#bytes += bytes;
        held += bytes;
      },
      release: (bytes) => {
        if (isOver) return;
        this.#bytes -= bytes;
        held -= bytes;
      },
      takePlace: () => {
        this.#checkPlaces();
        this.#requests++;
        places++;
      },
      inTurn: (work) => this.#turns.run(work),
      [Symbol.dispose]: () => {
        isOver = true;
        this.#requests -= places;
        this.#bytes -= held;
      },
    };
  }

  #checkPlaces(): void {
    if (this.#requests >= this.#maxRequests) throw new RequestRefused("requests");
  }
}
