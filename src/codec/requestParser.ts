import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { parseRequest, type ApiVersion } from "./parseRequest.ts";
import { ParserThread } from "./parserThread.ts";
import { RequestError } from "./requestError.ts";
import type { RequestProtocol } from "./requestThread.ts";

/** Larger bodies are parsed in a thread, because they would block the event loop for 20 ms and more. */
const largeBodyBytes = 64 * 1024;

/** Parses v4 and v5 requests. */
export class RequestParser implements AsyncDisposable {
  readonly #thread = new ParserThread<RequestProtocol>(new URL("./requestThread.ts", import.meta.url));

  /**
   * Takes ownership of the body's buffer: copying 20 MB to the thread would take too long. Throws a RequestError, or what
   * ParserThread.run() throws.
   */
  async parse(body: Uint8Array<ArrayBuffer>, version: ApiVersion): Promise<GroupedJobs> {
    const parsed =
      body.length > largeBodyBytes
        ? await this.#thread.run((thread) => thread.ask("parse", { body, version }, [body.buffer]))
        : parseRequest(body, version);
    if ("error" in parsed) throw new RequestError(parsed.error.title, parsed.error.reason);
    return parsed.jobs;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread[Symbol.asyncDispose]();
  }
}
