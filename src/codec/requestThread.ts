/** Entry of the thread that parses large v4 and v5 requests. */
import { replyToAsks } from "../threads/replyToAsks.ts";
import { columnBuffers } from "./columnBuffers.ts";
import { parseRequest, type ApiVersion, type ParsedRequest } from "./parseRequest.ts";

export interface RequestProtocol {
  parse(request: { body: Uint8Array; version: ApiVersion }): ParsedRequest;
}

replyToAsks<RequestProtocol>({
  parse({ body, version }) {
    const parsed = parseRequest(body, version);
    return [parsed, "jobs" in parsed ? columnBuffers(parsed.jobs) : []];
  },
});
