/** Entry of the thread that parses large requests. */
import type { Transferable } from "node:worker_threads";
import { answerAsks } from "../threads/answerAsks.ts";
import type { ApiVersion } from "./parseJobs.ts";
import { parseRequest, type ParsedRequest } from "./parseRequest.ts";

export interface RequestParserProtocol {
  parse(request: { body: Uint8Array; version: ApiVersion }): ParsedRequest;
}

answerAsks<RequestParserProtocol>({
  parse({ body, version }) {
    const parsed = parseRequest(body, version);
    return [parsed, "jobs" in parsed ? columns(parsed.jobs) : []];
  },
});

/** The buffers of all columns in it. */
function columns(value: object): Transferable[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return Object.values(value).flatMap((part: object) => columns(part));
}
