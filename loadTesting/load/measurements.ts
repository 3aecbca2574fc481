export interface Failure {
  /** `status 503`, `timeout`, `reset`, … */
  kind: string;
  example: string;
}

/** The result of a request. */
export interface Measurement {
  /** The due time in seconds; negative during the warm-up. */
  at: number;
  /** Delay in milliseconds between the due time and sending. */
  late: number;
  /** Milliseconds from the due time to the end of the response. */
  latency: number;
  bytes: number;
  failure: Failure | undefined;
}

/** The results of all requests, in columns because there may be millions. */
export class Measurements {
  /** Of successful requests. */
  readonly times: number[] = [];
  readonly latencies: number[] = [];
  readonly failureTimes: number[] = [];
  /** From here on, without the warm-up. */
  readonly failures = new Map<string, { count: number; example: string }>();
  readonly lateness: number[] = [];
  answered = 0;
  failed = 0;
  /** In flight when the run was interrupted. */
  unfinished = 0;
  bytes = 0;
  /** When the last request ended, in seconds. */
  end = 0;
  /** Since the last call of `takeRecent`. */
  #recent = { answered: 0, failed: 0, latency: 0 };

  /** Whether there was no response at all, including the warm-up. */
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
