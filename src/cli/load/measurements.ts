export interface Failure {
  /** `status 503`, `timeout`, `reset`, … */
  kind: string;
  example: string;
}

/** What became of a request. */
export interface Measurement {
  /** When it should be sent, in seconds: below zero while warming up. */
  at: number;
  /** How much later it was, in milliseconds. */
  late: number;
  /** Milliseconds from the moment when it should be sent to the end of the answer. */
  latency: number;
  bytes: number;
  failure: Failure | undefined;
}

/** What became of all requests, in columns, as there may be millions. */
export class Measurements {
  /** Of answers. */
  readonly times: number[] = [];
  readonly latencies: number[] = [];
  readonly failureTimes: number[] = [];
  /** Of those that count, as are all below. */
  readonly failures = new Map<string, { count: number; example: string }>();
  readonly lateness: number[] = [];
  answered = 0;
  failed = 0;
  /** Still under way when it was interrupted, warming up or not. */
  unfinished = 0;
  bytes = 0;
  /** When the last of them ended, in seconds. */
  end = 0;
  /** Since `takeRecent` was called: how many were answered, and in how many milliseconds in all. */
  #recent = { answered: 0, failed: 0, latency: 0 };

  /** Whether no answer came at all, while warming up either. */
  get hasNoReply(): boolean {
    return this.times.length === 0 && this.failureTimes.length === 0;
  }

  add({ at, late, latency, bytes, failure }: Measurement): void {
    if (failure) {
      this.failureTimes.push(at);
      this.#recent.failed++;
    } else {
      this.times.push(at);
      this.latencies.push(latency);
      this.#recent.answered++;
      this.#recent.latency += latency;
    }
    if (at < 0) return;
    this.lateness.push(late);
    this.bytes += bytes;
    this.end = Math.max(this.end, at + latency / 1000);
    if (!failure) this.answered++;
    else {
      this.failed++;
      const known = this.failures.get(failure.kind);
      if (known) known.count++;
      else this.failures.set(failure.kind, { count: 1, example: failure.example });
    }
  }

  takeRecent() {
    const recent = this.#recent;
    this.#recent = { answered: 0, failed: 0, latency: 0 };
    return recent;
  }
}
