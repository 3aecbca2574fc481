import { performance } from "node:perf_hooks";
import { abortable } from "../async/abortable.ts";
import { Semaphore } from "../async/semaphore.ts";
import type { ServerSettings } from "../config/server.ts";
import { HttpError } from "./httpError.ts";

type Resource = "requests" | "bodies";

/** The service is at a limit. The response is a 503 that the client may retry in a second. */
export class RequestRefused extends HttpError {
  override name = "RequestRefused";
  readonly limit: Resource;

  constructor(limit: Resource) {
    super(503);
    this.limit = limit;
  }
}

/** Sending or reading less than this is no progress. */
const minProgressBytes = 16 * 1024;
/** Requests that hold more than this part of the memory can't use all of it: small ones find room beside them. */
const maxSmallPart = 1 / 64;
/**
 * How much of the memory may be in use after a large request took some. Results fail the least, as `overloaded` modules; a
 * response frees the most.
 */
const maxLargePart = { body: 3 / 4, results: 1 / 2, response: 1 };
type MemoryUse = keyof typeof maxLargePart;
const maxLargeRenderings = 2;

type AdmissionSettings = Pick<ServerSettings, "maxRequests" | "maxStallMs">;

/** Limits the number of requests in flight, and the memory of their bodies, lookup results and responses. */
export class Admission {
  readonly #max: Record<Resource, number>;
  readonly #used: Record<Resource, number> = { requests: 0, bodies: 0 };
  readonly #reservations = new Set<Reservation>();
  /** Limits how many large responses are rendered at the same time. */
  readonly largeRenderings = new Semaphore(maxLargeRenderings);

  readonly #maxStallMs: number;

  /** A client that is waited for, and has made no progress for `maxStallMs`, loses its reservation when others need it. */
  constructor({ maxRequests, maxStallMs }: AdmissionSettings, maxBytes: number) {
    this.#maxStallMs = maxStallMs;
    this.#max = { requests: maxRequests, bodies: maxBytes };
  }

  /** How close it is to its limits, from 0 to 1. */
  get fill(): number {
    return Math.max(this.#used.requests / this.#max.requests, this.#used.bodies / this.#max.bodies);
  }

  /** Clients that have made no progress for so long that they may lose their reservation. */
  get stalledClients(): number {
    return [...this.#reservations].filter(({ stalledMs }) => stalledMs > this.#maxStallMs).length;
  }

  /**
   * Whether over half of the allowed requests are in flight. If so, cache misses fail at once: the other half is reserved for
   * requests that need no download.
   */
  isCrowded(): boolean {
    return !this.#makeRoom("requests", 0, this.#max.requests / 2);
  }

  /** Throws a RequestRefused if as many requests as allowed are in flight. */
  admit(): Reservation {
    if (!this.#makeRoom("requests", 1)) throw new RequestRefused("requests");
    const reservation = new Reservation(this);
    this.#reservations.add(reservation);
    return reservation;
  }

  /** Only for reservations. Returns false if that much isn't left, or more than a part is in use. */
  take(reservation: Reservation, resource: Resource, amount: number, maxPart = 1): boolean {
    const isSmall = reservation.held[resource] + amount <= this.#max[resource] * maxSmallPart;
    if (!this.#makeRoom(resource, amount, this.#max[resource] * (isSmall ? 1 : maxPart))) return false;
    this.#used[resource] += amount;
    reservation.held[resource] += amount;
    return true;
  }

  /** Only for reservations. */
  giveBack({ held }: Reservation, resource: Resource, amount: number): void {
    this.#used[resource] -= amount;
    held[resource] -= amount;
  }

  /** Only for reservations. */
  remove(reservation: Reservation): void {
    this.#reservations.delete(reservation);
  }

  /** Revokes the reservations of stalled clients, the longest stalled one first, until there is room. */
  #makeRoom(resource: Resource, amount: number, max = this.#max[resource]): boolean {
    while (this.#used[resource] + amount > max) {
      const holders = [...this.#reservations].filter(({ held }) => held[resource] > 0);
      const [longest] = holders.toSorted((one, other) => other.stalledMs - one.stalledMs);
      if (!longest || longest.stalledMs <= this.#maxStallMs) return false;
      longest.revoke();
    }
    return true;
  }
}

/** A request's part of the limits, until it is disposed of. */
export class Reservation implements Disposable {
  readonly held: Record<Resource, number> = { requests: 0, bodies: 0 };
  readonly #admission: Admission;
  readonly #revoked = new AbortController();
  #isOver = false;
  #waitingSince: number | undefined;
  /** Since the last progress, in the waits that have ended. */
  #waitedMs = 0;
  #bytesSinceProgress = 0;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Aborted with an HttpError when the reservation is taken away from a stalled client. */
  get revoked(): AbortSignal {
    return this.#revoked.signal;
  }

  /** How long the client, who is waited for, has made no progress; 0 if nothing waits for it. */
  get stalledMs(): number {
    return this.#waitingSince === undefined ? 0 : this.#waitedMs + performance.now() - this.#waitingSince;
  }

  /** Counts the request as in flight. Called once its body is there, so that slow clients block nobody. Throws a RequestRefused. */
  begin(): void {
    if (!this.#admission.take(this, "requests", 1)) throw new RequestRefused("requests");
  }

  /** Memory for a part of the request's work. */
  share(use: MemoryUse): MemoryShare {
    let shareBytes = 0;
    const tryReserve = (bytes: number) => {
      if (this.#isOver || !this.#admission.take(this, "bodies", bytes, maxLargePart[use])) return false;
      shareBytes += bytes;
      return true;
    };
    const release = (bytes: number) => {
      if (!this.#isOver) this.#admission.giveBack(this, "bodies", bytes);
      shareBytes -= bytes;
    };
    return {
      tryReserve,
      release,
      reserve: (bytes) => {
        // All that a stalled client still gets is an error.
        if (!tryReserve(bytes) && !this.revoked.aborted) throw new RequestRefused("bodies");
      },
      [Symbol.dispose]: () => release(shareBytes),
    };
  }

  /** Settles as `promise` does, for which the client must do something. Rejects with an HttpError if it stalls. */
  async waitForClient<T>(promise: Promise<T>): Promise<T> {
    this.#waitingSince = performance.now();
    try {
      return await abortable(promise, this.revoked);
    } finally {
      this.#waitedMs = this.stalledMs;
      this.#waitingSince = undefined;
    }
  }

  /** Called with the bytes that the client has sent or read. */
  progressed(bytes: number): void {
    this.#bytesSinceProgress += bytes;
    if (this.#bytesSinceProgress < minProgressBytes) return;
    this.#bytesSinceProgress = 0;
    this.#waitedMs = 0;
  }

  /** Renders a response that needs much memory. */
  runLarge(work: () => Promise<void>): Promise<void> {
    return this.#admission.largeRenderings.run(work);
  }

  revoke(): void {
    this[Symbol.dispose]();
    this.#revoked.abort(new HttpError(408));
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#admission.remove(this);
    this.#admission.giveBack(this, "requests", this.held.requests);
    this.#admission.giveBack(this, "bodies", this.held.bodies);
  }
}

/** Memory that a part of a request's work holds, until it is disposed of. */
export interface MemoryShare extends Disposable {
  /** Throws a RequestRefused if that much isn't left. */
  readonly reserve: (bytes: number) => void;
  /** Returns false if that much isn't left, or if the request is over. */
  readonly tryReserve: (bytes: number) => boolean;
  readonly release: (bytes: number) => void;
}
