import type { Job } from "../symbolication/job.ts";
import { HttpError } from "../http/httpError.ts";
import { InvalidJob, isObject, parseJob } from "./parseJob.ts";
import { parseJson } from "./parseJson.ts";

export type ApiVersion = "v4" | "v5";

export const maxJobs = 10;

/** The jobs that a request's body holds. Throws an HttpError that names the job, module, stack or frame at fault. */
export function parseJobs(body: Uint8Array, version: ApiVersion): Job[] {
  const payload = parseJson(body);
  if (version === "v5" && isObject(payload) && "jobs" in payload) return parseJobList(payload.jobs);
  return [parseJobOfRequest(payload, 0)];
}

function parseJobList(jobs: unknown): Job[] {
  if (typeof jobs === "string") throw new HttpError(400, "job 0 is invalid");
  if (!Array.isArray(jobs)) throw new HttpError(400, "jobs must be a list");
  if (jobs.length > maxJobs) {
    throw new HttpError(
      400,
      `please limit number of jobs in a single request to <= ${maxJobs}`,
      "too_many_jobs",
    );
  }
  return jobs.map(parseJobOfRequest);
}

function parseJobOfRequest(job: unknown, index: number): Job {
  if (!isObject(job)) throw new HttpError(400, `job ${index} is invalid`);
  try {
    return parseJob(job);
  } catch (error) {
    if (!(error instanceof InvalidJob)) throw error;
    const { part, message } = error;
    const fault = part ? `has invalid ${part}` : "is invalid";
    throw new HttpError(400, `job ${index} ${fault}: ${message}`, part && `invalid_${part}`);
  }
}
