import { groupFrames, type GroupedJobs } from "../../symbolication/groupFrames.ts";
import type { Job } from "../../symbolication/job.ts";
import { isObject, parseJob } from "../parseJob.ts";
import { parseJson } from "../parseJson.ts";
import { RequestError } from "../requestError.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import { parseCrashPing, type CrashPing, type PingDetails } from "./crashPing.ts";

/** Concatenated lines without line breaks. */
export interface Lines {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each line ends in `bytes`. */
  ends: Uint32Array<ArrayBuffer>;
}

/** A line with a job, with a crash ping, or with an error. */
export type ParsedLine = "job" | PingDetails | LineError;

export interface LineError {
  error: { title: string };
}

export interface ParsedLines {
  lines: ParsedLine[];
  /** The jobs of the lines without an error. */
  jobs: GroupedJobs;
}

/** An invalid line does not affect the others. */
export function parseLines({ bytes, ends }: Lines, options: BulkOptions): ParsedLines {
  const jobs: Job[] = [];
  const lines = Array.from(ends, (end, index): ParsedLine => {
    try {
      const line = parseLine(bytes.subarray(ends[index - 1] ?? 0, end), options);
      jobs.push("job" in line ? line.job : line);
      return "job" in line ? line.details : "job";
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return lineError(error.reason === "bad_json" ? "it is not valid JSON" : error.title);
    }
  });
  return { lines, jobs: groupFrames(jobs) };
}

export function lineError(fault: string): LineError {
  return { error: { title: `job is invalid: ${fault}` } };
}

function parseLine(line: Uint8Array, options: BulkOptions): Job | CrashPing {
  const value = parseJson(line);
  if (!isObject(value)) throw new RequestError("it is not an object");
  if ("threads" in value) return parseCrashPing(value, options);
  if (!("stacks" in value || "memoryMap" in value))
    throw new RequestError("it is neither a job nor the stack_traces of a crash ping");
  return truncateStacks(parseJob(value), options.frames);
}

/** Keeps the top `maxFrames` frames of each stack. */
function truncateStacks(job: Job, maxFrames = Infinity): Job {
  if (job.stackLengths.every((length) => length <= maxFrames)) return job;
  const stackLengths = job.stackLengths.map((length) => Math.min(length, maxFrames));
  const positions: number[] = [];
  let start = 0;
  for (const [stack, length] of job.stackLengths.entries()) {
    for (let frame = 0; frame < (stackLengths[stack] ?? 0); frame++) positions.push(start + frame);
    start += length;
  }
  return {
    memoryMap: job.memoryMap,
    stackLengths,
    moduleIndexes: Int32Array.from(positions, (position) => job.moduleIndexes[position] ?? -1),
    moduleOffsets: Float64Array.from(positions, (position) => job.moduleOffsets[position] ?? -1),
    exactOffsets:
      job.exactOffsets.length === 0
        ? job.exactOffsets
        : BigUint64Array.from(positions, (position) => job.exactOffsets[position] ?? 0n),
  };
}
