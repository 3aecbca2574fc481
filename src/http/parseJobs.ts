import { listModules, type Job, type Module } from "../symbolication/job.ts";
import { HttpError } from "./httpError.ts";
import { parseJson } from "./parseJson.ts";

export type ApiVersion = "v4" | "v5";

const maxJobs = 10;
const maxDebugFilenameBytes = 255;
const debugFilenamePattern = /^[[\]A-Za-z0-9_.+{}@<> ~-]*$/;
const debugIdPattern = /^[0-9A-Fa-f]{0,64}$/;
const maxModuleOffset = 2n ** 64n - 1n;

type JsonObject = Record<string, unknown>;

/** The jobs that a request's body holds. Throws an HttpError that names the job, module, stack or frame at fault. */
export function parseJobs(body: Uint8Array, version: ApiVersion): Job[] {
  const payload = parseJson(body);
  if (version === "v5" && isObject(payload) && "jobs" in payload) return parseJobList(payload.jobs);
  return [parseJob(payload, 0)];
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
  return jobs.map(parseJob);
}

function parseJob(job: unknown, index: number): Job {
  if (!isObject(job)) throw new HttpError(400, `job ${index} is invalid`);
  if (!("stacks" in job)) throw new HttpError(400, `job ${index} is invalid: no stacks specified`);
  if (!("memoryMap" in job)) throw new HttpError(400, `job ${index} is invalid: no memoryMap specified`);
  const memoryMap = parseMemoryMap(job.memoryMap, index);
  return { memoryMap: listModules(memoryMap), ...parseStacks(job.stacks, memoryMap.length, index) };
}

function parseMemoryMap(memoryMap: unknown, job: number): Module[] {
  const invalid = (what: string) =>
    new HttpError(400, `job ${job} has invalid modules: ${what}`, "invalid_modules");
  if (!Array.isArray(memoryMap)) throw invalid("modules must be a list");
  return memoryMap.map((module: unknown, index) => {
    if (!Array.isArray(module) || module.length !== 2)
      throw invalid(`module index ${index} does not have a debug_filename and debug_id`);
    const [debugFilename, debugId]: unknown[] = module;
    if (!isDebugFilename(debugFilename)) throw invalid(`module index ${index} has an invalid debug_filename`);
    if (!isDebugId(debugId)) throw invalid(`module index ${index} has an invalid debug_id`);
    return { debugFilename, debugId };
  });
}

export function isDebugFilename(value: unknown): value is string {
  // The pattern admits ASCII alone, so characters are bytes.
  return (
    typeof value === "string" &&
    value.length <= maxDebugFilenameBytes &&
    debugFilenamePattern.test(value) &&
    value !== "." &&
    value !== ".."
  );
}

export function isDebugId(value: unknown): value is string {
  return typeof value === "string" && debugIdPattern.test(value);
}

function parseStacks(stacks: unknown, modules: number, job: number): Omit<Job, "memoryMap"> {
  const invalid = (what: string) =>
    new HttpError(400, `job ${job} has invalid stacks: ${what}`, "invalid_stacks");
  if (!Array.isArray(stacks)) throw invalid("stacks must be a list of lists");
  if (stacks.length === 0) throw invalid("no stacks specified");

  const stackLengths = Uint32Array.from(stacks, (stack) => (Array.isArray(stack) ? stack.length : 0));
  const frames = stackLengths.reduce((sum, length) => sum + length, 0);
  const moduleIndexes = new Int32Array(frames);
  const moduleOffsets = new Float64Array(frames);
  let exactOffsets = new BigUint64Array();

  let position = 0;
  for (const [stackNumber, stack] of stacks.entries()) {
    if (!Array.isArray(stack)) throw invalid(`stack ${stackNumber} is not a list`);
    for (let frameNumber = 0; frameNumber < stack.length; frameNumber++, position++) {
      const frame: unknown = stack[frameNumber];
      const wrong = (what: string) => invalid(`stack ${stackNumber} frame ${frameNumber} ${what}`);
      if (!Array.isArray(frame) || frame.length !== 2) throw wrong("is not a list of two items");
      const [moduleIndex, moduleOffset]: unknown[] = frame;

      if (typeof moduleIndex === "bigint") throw wrong("has a module_index that isn't in modules");
      if (!isInteger(moduleIndex)) throw wrong("has an invalid module_index");
      if (moduleIndex < -1 || moduleIndex >= modules) throw wrong("has a module_index that isn't in modules");
      moduleIndexes[position] = moduleIndex;

      if (isInteger(moduleOffset) && Number.isSafeInteger(moduleOffset)) {
        if (moduleOffset < -1) throw wrong("has an invalid module_offset");
        moduleOffsets[position] = moduleOffset;
      } else {
        // 1e19 is a number, 10000000000000000001 a bigint: parseJson() tells them apart.
        const exact = isInteger(moduleOffset) ? BigInt(moduleOffset) : moduleOffset;
        if (typeof exact !== "bigint" || exact < 0n || exact > maxModuleOffset)
          throw wrong("has an invalid module_offset");
        moduleOffsets[position] = Number(exact);
        if (exactOffsets.length === 0) exactOffsets = new BigUint64Array(frames);
        exactOffsets[position] = exact;
      }
    }
  }
  return { stackLengths, moduleIndexes, moduleOffsets, exactOffsets };
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
