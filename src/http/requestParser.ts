import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { Thread } from "../threads/thread.ts";
import type { BulkOptions } from "./bulk/bulkOptions.ts";
import type { Lines, ParsedLines } from "./bulk/parseLines.ts";
import { HttpError } from "./httpError.ts";
import type { ApiVersion } from "./parseJobs.ts";
import { parseRequest } from "./parseRequest.ts";
import type { RequestParserProtocol } from "./requestParserThread.ts";

const entry = new URL("./requestParserThread.ts", import.meta.url);
/** A larger body is parsed in a thread, so that nobody else waits for it. */
const largeBody = 256 * 1024;

/** Turns bodies into jobs. */
export class RequestParser implements AsyncDisposable {
  #thread: Thread<RequestParserProtocol> | undefined;

  /** The jobs of a request. Throws an HttpError that says what is wrong with them. */
  async parse(body: Uint8Array, version: ApiVersion): Promise<GroupedJobs> {
    const parsed =
      body.length > largeBody
        ? await this.#liveThread().ask("parse", { body, version })
        : parseRequest(body, version);
    if ("jobs" in parsed) return parsed.jobs;
    throw new HttpError(400, parsed.refusal.title, parsed.refusal.reason);
  }

  /** What lines hold, of which `bytes` is all of a buffer and can't be used afterwards. */
  async parseLines(lines: Lines, options: BulkOptions): Promise<ParsedLines> {
    return await this.#liveThread().ask("parseLines", { lines, options }, [lines.bytes.buffer]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.[Symbol.asyncDispose]();
  }

  #liveThread(): Thread<RequestParserProtocol> {
    if (!this.#thread || this.#thread.hasEnded) this.#thread = new Thread(entry);
    return this.#thread;
  }
}
