import { groupFrames, type GroupedJobs } from "../symbolication/groupFrames.ts";
import type { Job } from "../symbolication/job.ts";
import { isObject, parseJob } from "./parseJob.ts";
import { parseJson } from "./parseJson.ts";
import { RequestError, type RequestErrorReason } from "./requestError.ts";

export type ApiVersion = "v4" | "v5";

export const maxJobs = 10;

/** The jobs of a request. Plain objects, so that a worker thread can return them. */
export type ParsedRequest =
  { jobs: GroupedJobs } | { error: { title: string; reason: RequestErrorReason | undefined } };

export function parseRequest(body: Uint8Array, version: ApiVersion): ParsedRequest {
  try {
    return { jobs: groupFrames(parseJobs(parseJson(body), version)) };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { error: { title: error.title, reason: error.reason } };
  }
}

function parseJobs(payload: unknown, version: ApiVersion): Job[] {
  if (version === "v4" || !isObject(payload) || !("jobs" in payload)) return [parseNumberedJob(payload, 0)];
  const { jobs } = payload;
  if (typeof jobs === "string") throw new RequestError("job 0 is invalid");
  if (!Array.isArray(jobs)) throw new RequestError("jobs must be a list");
  if (jobs.length > maxJobs)
    throw new RequestError(
      `please limit number of jobs in a single request to <= ${maxJobs}`,
      "too_many_jobs",
    );
  return jobs.map(parseNumberedJob);
}

function parseNumberedJob(job: unknown, index: number): Job {
  if (!isObject(job)) throw new RequestError(`job ${index} is invalid`);
  try {
    return parseJob(job);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const { title, reason } = error;
    // "has invalid modules", "has invalid stacks"
    const fault = reason ? `has ${reason.replace("_", " ")}` : "is invalid";
    throw new RequestError(`job ${index} ${fault}: ${title}`, reason);
  }
}
