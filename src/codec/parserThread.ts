import { Thread, ThreadEnded, type Protocol } from "../threads/thread.ts";

/** JSON of a few million objects could take minutes, and all memory. */
const timeoutMs = 20_000;

/** The body takes too long, or too much memory, to parse. */
export class BodyTooComplex extends Error {
  override name = "BodyTooComplex";
}

/** The thread ended for another reason: the request may be sent again. */
export class ParserStopped extends Error {
  override name = "ParserStopped";
}

/** A worker thread that parses one body at a time, so that a crash can be blamed on the body it was parsing. */
export class ParserThread<P extends Protocol<P>> implements AsyncDisposable {
  readonly #entry: URL;
  #thread: Thread<P> | undefined;
  #latest: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** Runs `parse` once the bodies before it are parsed. Throws a BodyTooComplex or a ParserStopped. */
  run<Parsed>(parse: (thread: Thread<P>) => Promise<Parsed>): Promise<Parsed> {
    const parsed = this.#latest.then(() => this.#runNow(parse));
    this.#latest = parsed.catch(() => {});
    return parsed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #runNow<Parsed>(parse: (thread: Thread<P>) => Promise<Parsed>): Promise<Parsed> {
    // A bulk stream that was cut off may still have lines in the queue.
    if (this.#isClosed) throw new ParserStopped();
    if (!this.#thread || this.#thread.hasEnded) this.#thread = new Thread(this.#entry, undefined, timeoutMs);
    try {
      return await parse(this.#thread);
    } catch (cause) {
      if (!(cause instanceof ThreadEnded)) throw cause;
      throw cause.isRetryable ? new ParserStopped(cause.message, { cause }) : new BodyTooComplex(cause.message, { cause }); // prettier-ignore
    }
  }
}
