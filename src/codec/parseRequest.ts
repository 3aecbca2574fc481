import { groupFrames, type GroupedJobs } from "../symbolication/groupFrames.ts";
import { HttpError, type RequestErrorReason } from "../http/httpError.ts";
import { parseJobs, type ApiVersion } from "./parseJobs.ts";

/** What a body holds, or why it is refused: an answer that can cross threads. */
export type ParsedRequest =
  { jobs: GroupedJobs } | { refusal: { title: string; reason?: RequestErrorReason } };

export function parseRequest(body: Uint8Array, version: ApiVersion): ParsedRequest {
  try {
    return { jobs: groupFrames(parseJobs(body, version)) };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { refusal: { title: error.title, ...(error.reason && { reason: error.reason }) } };
  }
}
