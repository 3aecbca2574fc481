import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { Thread, ThreadEnded } from "../threads/thread.ts";
import type { BulkOptions } from "./bulk/bulkOptions.ts";
import type { Lines, ParsedLines } from "./bulk/parseLines.ts";
import { HttpError } from "../http/httpError.ts";
import type { ApiVersion } from "./parseJobs.ts";
import { parseRequest } from "./parseRequest.ts";
import type { RequestParserProtocol } from "./requestParserThread.ts";

const entry = new URL("./requestParserThread.ts", import.meta.url);
/** A larger body is parsed in a thread, so that nobody else waits for it: JSON of this size can take 20 ms. */
const largeBody = 64 * 1024;
/** Milliseconds that this may take. JSON of a few million objects could take minutes, and all memory. */
const patience = 20_000;

/** Turns bodies into jobs. */
export class RequestParser implements AsyncDisposable {
  #thread: Thread<RequestParserProtocol> | undefined;
  /** Large bodies are parsed one after the other: if the thread ends, it is for the one that it had. */
  #latest: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  /**
   * The jobs of a request. Nothing that shares its buffer with `body` can be used afterwards: to copy 20 MB to the thread
   * takes too long. Throws an HttpError that says what is wrong with them.
   */
  async parse(body: Uint8Array<ArrayBuffer>, version: ApiVersion): Promise<GroupedJobs> {
    const parsed =
      body.length > largeBody
        ? await this.#inTurn((thread) => thread.ask("parse", { body, version }, [body.buffer]))
        : parseRequest(body, version);
    if ("jobs" in parsed) return parsed.jobs;
    throw new HttpError(400, parsed.refusal.title, parsed.refusal.reason);
  }

  /** What lines hold; nothing that shares their buffer can be used afterwards. Throws an HttpError where none can be parsed. */
  async parseLines(lines: Lines, options: BulkOptions): Promise<ParsedLines> {
    return await this.#inTurn((thread) => thread.ask("parseLines", { lines, options }, [lines.bytes.buffer]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#thread?.[Symbol.asyncDispose]();
  }

  #inTurn<Parsed>(ask: (thread: Thread<RequestParserProtocol>) => Promise<Parsed>): Promise<Parsed> {
    const parsed = this.#latest.then(() => this.#patiently(ask));
    this.#latest = parsed.catch(() => {});
    return parsed;
  }

  async #patiently<Parsed>(ask: (thread: Thread<RequestParserProtocol>) => Promise<Parsed>): Promise<Parsed> {
    // Of a stream that was cut, perhaps, whose lines nobody waits for.
    if (this.#isEnding) throw new HttpError(503);
    if (!this.#thread || this.#thread.hasEnded) this.#thread = new Thread(entry, undefined, patience);
    try {
      return await ask(this.#thread);
    } catch (error) {
      if (!(error instanceof ThreadEnded)) throw error;
      if (error.isInnocent) throw new HttpError(503);
      throw new HttpError(413, "the body takes too long, or too much memory, to parse");
    }
  }
}
