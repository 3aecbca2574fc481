/** Entry of the thread that parses large requests. */
import type { Transferable } from "node:worker_threads";
import type { GroupedJobs } from "../symbolication/groupFrames.ts";
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

function columns({ jobs, offsets, moduleNumbers, offsetNumbers }: GroupedJobs): Transferable[] {
  const ofJobs = jobs.flatMap((job) => [
    job.stackLengths,
    job.moduleIndexes,
    job.moduleOffsets,
    job.exactOffsets,
  ]);
  return [...ofJobs, ...offsets, ...moduleNumbers, ...offsetNumbers].map((column) => column.buffer);
}
