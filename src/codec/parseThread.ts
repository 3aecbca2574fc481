/** Entry of the threads that parse requests. */
import { columnBuffers } from "../symbolication/groupFrames.ts";
import { replyToAsks } from "../threads/replyToAsks.ts";
import type { BulkOptions } from "./bulk/bulkOptions.ts";
import { parseLines, type Lines, type ParsedLines } from "./bulk/parseLines.ts";
import { parseRequest, type ApiVersion, type ParsedRequest } from "./parseRequest.ts";

export interface ParseProtocol {
  parseRequest(ask: { body: Uint8Array; version: ApiVersion }): ParsedRequest;
  parseLines(ask: { lines: Lines; options: BulkOptions }): ParsedLines;
}

replyToAsks<ParseProtocol>({
  parseRequest({ body, version }) {
    const parsed = parseRequest(body, version);
    return [parsed, "jobs" in parsed ? columnBuffers(parsed.jobs) : []];
  },
  parseLines({ lines, options }) {
    const parsed = parseLines(lines, options);
    return [parsed, columnBuffers(parsed.jobs)];
  },
});
