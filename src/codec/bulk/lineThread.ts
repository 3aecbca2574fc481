/** Entry of the thread that parses the lines of bulk requests. */
import { replyToAsks } from "../../threads/replyToAsks.ts";
import { columnBuffers } from "../columnBuffers.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import { parseLines, type Lines, type ParsedLines } from "./parseLines.ts";

export interface LineProtocol {
  parse(request: { lines: Lines; options: BulkOptions }): ParsedLines;
}

replyToAsks<LineProtocol>({
  parse({ lines, options }) {
    const parsed = parseLines(lines, options);
    return [parsed, columnBuffers(parsed.jobs)];
  },
});
