import { ParserThread } from "../parserThread.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import type { LineProtocol } from "./lineThread.ts";
import type { Lines, ParsedLines } from "./parseLines.ts";

/** Parses lines of bulk requests, in a thread of their own: v4 and v5 requests do not wait for them. */
export class LineParser implements AsyncDisposable {
  readonly #thread = new ParserThread<LineProtocol>(new URL("./lineThread.ts", import.meta.url));

  /** Takes ownership of the lines' buffer. Throws what ParserThread.run() throws. */
  parse(lines: Lines, options: BulkOptions): Promise<ParsedLines> {
    return this.#thread.run((thread) => thread.ask("parse", { lines, options }, [lines.bytes.buffer]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#thread[Symbol.asyncDispose]();
  }
}
