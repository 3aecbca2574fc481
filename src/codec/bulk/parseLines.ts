import { groupFrames, type GroupedJobs } from "../../symbolication/groupFrames.ts";
import type { Job } from "../../symbolication/job.ts";
import { InvalidJob, isObject, parseJob } from "../parseJob.ts";
import { parseJson } from "../parseJson.ts";
import { RequestError } from "../requestError.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import { parseCrashPing, type CrashPing, type PingNotes } from "./crashPing.ts";

/** Lines of a body, one behind the other without their ends, and where each ends. */
export interface Lines {
  bytes: Uint8Array<ArrayBuffer>;
  ends: Uint32Array<ArrayBuffer>;
}

/** What a line holds: a job, those of a crash ping with what its answer has besides, or nothing that could be answered. */
export type ParsedLine = "job" | PingNotes | LineError;

export interface LineError {
  error: { title: string };
}

export interface ParsedLines {
  /** What the lines hold, in their order. */
  lines: ParsedLine[];
  /** The jobs of those that hold one. */
  jobs: GroupedJobs;
}

/** A bad line is told of in its place, and changes nothing for the others. */
export function parseLines({ bytes, ends }: Lines, options: BulkOptions): ParsedLines {
  const jobs: Job[] = [];
  const lines = Array.from(ends, (end, number): ParsedLine => {
    try {
      const line = parseLine(bytes.subarray(ends[number - 1] ?? 0, end), options);
      jobs.push("job" in line ? line.job : line);
      return "job" in line ? line.notes : "job";
    } catch (error) {
      if (error instanceof InvalidJob) return lineError(error.message);
      if (error instanceof RequestError) return lineError("it is not valid JSON");
      throw error;
    }
  });
  return { lines, jobs: groupFrames(jobs) };
}

export function lineError(fault: string): LineError {
  return { error: { title: `job is invalid: ${fault}` } };
}

function parseLine(line: Uint8Array, options: BulkOptions): Job | CrashPing {
  const value = parseJson(line);
  if (!isObject(value)) throw new InvalidJob("it is not an object");
  if ("threads" in value) return parseCrashPing(value, options);
  // A whole ping, perhaps.
  if (!("stacks" in value || "memoryMap" in value))
    throw new InvalidJob("it is neither a job nor the stack_traces of a crash ping");
  return cut(parseJob(value), options.frames);
}

/** The job without the frames of each stack beyond the first so many. */
function cut(job: Job, mostFrames = Infinity): Job {
  if (job.stackLengths.every((length) => length <= mostFrames)) return job;
  const stackLengths = job.stackLengths.map((length) => Math.min(length, mostFrames));
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
