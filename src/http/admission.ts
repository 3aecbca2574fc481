import { performance } from "node:perf_hooks";
import { abortable } from "../async/abortable.ts";
import { Semaphore } from "../async/semaphore.ts";
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

/** A client that is waited for this long without progress loses its reservation when others need it. */
const maxStallMs = 10_000;
/** Sending or reading less than this is no progress. */
const minProgressBytes = 16 * 1024;
/** Requests that hold more than this part of the memory can't use all of it: small ones find room beside them. */
const maxSmallPart = 1 / 64;
const maxLargePart = 3 / 4;
const maxLargeRenderings = 2;

/** Limits the number of requests in flight, and the memory of their bodies, lookup results and responses. */
export class Admission {
  readonly #max: Record<Resource, number>;
  readonly #used: Record<Resource, number> = { requests: 0, bodies: 0 };
  readonly #reservations = new Set<Reservation>();
  /** Limits how many large responses are rendered at the same time. */
  readonly largeRenderings = new Semaphore(maxLargeRenderings);

  constructor({ maxRequests, maxBytes }: { maxRequests: number; maxBytes: number }) {
    this.#max = { requests: maxRequests, bodies: maxBytes };
  }

  /** How close it is to its limits, from 0 to 1. */
  get fill(): number {
    return Math.max(this.#used.requests / this.#max.requests, this.#used.bodies / this.#max.bodies);
  }

  /** Clients that have made no progress for so long that they may lose their reservation. */
  get stalledClients(): number {
    return [...this.#reservations].filter(({ stalledMs }) => stalledMs > maxStallMs).length;
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

  /** Only for reservations. Returns false if that much isn't left. */
  take(reservation: Reservation, resource: Resource, amount: number, mayUseAll = true): boolean {
    const isSmall = reservation.held[resource] + amount <= this.#max[resource] * maxSmallPart;
    const max = this.#max[resource] * (mayUseAll || isSmall ? 1 : maxLargePart);
    if (!this.#makeRoom(resource, amount, max)) return false;
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
      if (!longest || longest.stalledMs <= maxStallMs) return false;
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

  /** Memory for a part of the request's work. What a response needs may use all memory, because it frees the most. */
  share(use: "input" | "response" = "input"): MemoryShare {
    let shareBytes = 0;
    const tryReserve = (bytes: number) => {
      if (this.#isOver || !this.#admission.take(this, "bodies", bytes, use === "response")) return false;
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
        this.revoked.throwIfAborted();
        if (!tryReserve(bytes)) throw new RequestRefused("bodies");
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
  /** Throws a RequestRefused if that much isn't left, or an HttpError if the client has stalled. */
  readonly reserve: (bytes: number) => void;
  /** Returns false if that much isn't left, or if the request is over. */
  readonly tryReserve: (bytes: number) => boolean;
  readonly release: (bytes: number) => void;
}
