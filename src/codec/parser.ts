import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { Thread, ThreadEnded } from "../threads/thread.ts";
import type { BulkOptions } from "./bulk/bulkOptions.ts";
import type { Lines, ParsedLines } from "./bulk/parseLines.ts";
import { parseRequest, type ApiVersion } from "./parseRequest.ts";
import type { ParseProtocol } from "./parseThread.ts";
import { RequestError } from "./requestError.ts";

/** Larger bodies are parsed in a thread, because they would block the event loop for 20 ms and more. */
const largeBodyBytes = 64 * 1024;
/** Even larger ones have a thread of their own: they may take seconds, and others must not wait for them. */
const hugeBodyBytes = 2_000_000;
/** JSON of a few million objects could take very long, and all memory. */
const timeoutMs = 20_000;
const resourceLimits = { maxOldGenerationSizeMb: 1024 };

const entry = new URL("./parseThread.ts", import.meta.url);

/** The body takes too long, or too much memory, to parse. */
export class BodyTooComplex extends Error {
  override name = "BodyTooComplex";
}

/** The thread ended for another reason: the request may be sent again. */
export class ParserStopped extends Error {
  override name = "ParserStopped";
}

/** Parses requests. Lines of bulk requests have a thread of their own, so that v4 and v5 requests do not wait for them. */
export class Parser implements AsyncDisposable {
  readonly #requests = new ParseThread();
  readonly #hugeRequests = new ParseThread();
  readonly #lines = new ParseThread();

  /**
   * Parses a v4 or v5 request. Takes ownership of the body's buffer: copying 20 MB to the thread would take too long. Throws a
   * RequestError, a BodyTooComplex, a ParserStopped, or the signal's reason if that is aborted while the body waits.
   */
  async parse(body: Uint8Array<ArrayBuffer>, version: ApiVersion, signal: AbortSignal): Promise<GroupedJobs> {
    const thread = body.length > hugeBodyBytes ? this.#hugeRequests : this.#requests;
    const parsed =
      body.length > largeBodyBytes
        ? await thread.run((parse) => parse.ask("parseRequest", { body, version }, [body.buffer]), signal)
        : parseRequest(body, version);
    if ("error" in parsed) throw new RequestError(parsed.error.title, parsed.error.reason);
    return parsed.jobs;
  }

  /** Parses lines of a bulk request. Takes ownership of their buffer. Throws as parse() does, except for a RequestError. */
  parseLines(lines: Lines, options: BulkOptions, signal: AbortSignal): Promise<ParsedLines> {
    const parse = (thread: Thread<ParseProtocol>) =>
      thread.ask("parseLines", { lines, options }, [lines.bytes.buffer]);
    return this.#lines.run(parse, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const threads = [this.#requests, this.#hugeRequests, this.#lines];
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

/** A thread that parses one body at a time, so that a crash can be blamed on the body it was parsing. */
class ParseThread {
  #thread: Thread<ParseProtocol> | undefined;
  #latest: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Runs `parse` once the bodies before it are parsed, unless `signal` is aborted by then. */
  run<Parsed>(
    parse: (thread: Thread<ParseProtocol>) => Promise<Parsed>,
    signal: AbortSignal,
  ): Promise<Parsed> {
    const parsed = this.#latest.then(() => {
      signal.throwIfAborted();
      return this.#runNow(parse);
    });
    this.#latest = parsed.catch(() => {});
    return parsed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.[Symbol.asyncDispose]();
  }

  async #runNow<Parsed>(parse: (thread: Thread<ParseProtocol>) => Promise<Parsed>): Promise<Parsed> {
    // A bulk stream that was cut off may still have lines in the queue.
    if (this.#isClosed) throw new ParserStopped();
    if (!this.#thread || this.#thread.hasEnded)
      this.#thread = new Thread(entry, undefined, timeoutMs, resourceLimits);
    try {
      return await parse(this.#thread);
    } catch (cause) {
      if (!(cause instanceof ThreadEnded)) throw cause;
      const { message, isRetryable } = cause;
      throw isRetryable ? new ParserStopped(message, { cause }) : new BodyTooComplex(message, { cause });
    }
  }
}
