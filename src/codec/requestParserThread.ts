/** Entry of the thread that parses large requests. */
import type { Transferable } from "node:worker_threads";
import { answerAsks } from "../threads/answerAsks.ts";
import type { ApiVersion } from "./parseJobs.ts";
import type { BulkOptions } from "./bulk/bulkOptions.ts";
import { parseLines, type Lines, type ParsedLines } from "./bulk/parseLines.ts";
import { parseRequest, type ParsedRequest } from "./parseRequest.ts";

export interface RequestParserProtocol {
  parse(request: { body: Uint8Array; version: ApiVersion }): ParsedRequest;
  parseLines(ask: { lines: Lines; options: BulkOptions }): ParsedLines;
}

answerAsks<RequestParserProtocol>({
  parse({ body, version }) {
    const parsed = parseRequest(body, version);
    return [parsed, "jobs" in parsed ? columns(parsed.jobs) : []];
  },
  parseLines({ lines, options }) {
    const parsed = parseLines(lines, options);
    return [parsed, columns(parsed.jobs)];
  },
});

/** The buffers of all columns in it. */
function columns(value: object): Transferable[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return Object.values(value).flatMap((part: object) => columns(part));
}
