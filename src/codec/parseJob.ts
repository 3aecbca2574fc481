import { listModules, type Job, type MemoryMapEntry } from "../symbolication/job.ts";
import { RequestError } from "./requestError.ts";

export const maxModuleOffset = 2n ** 64n - 1n;

export type JsonObject = Record<string, unknown>;

/** Throws a RequestError whose title does not name the job. */
export function parseJob(job: JsonObject): Job {
  if (!("stacks" in job)) throw new RequestError("no stacks specified");
  if (!("memoryMap" in job)) throw new RequestError("no memoryMap specified");
  const memoryMap = parseMemoryMap(job.memoryMap);
  return { memoryMap: listModules(memoryMap), ...parseStacks(job.stacks, memoryMap.length) };
}

function parseMemoryMap(memoryMap: unknown): MemoryMapEntry[] {
  if (!Array.isArray(memoryMap)) throw invalidModules("modules must be a list");
  return memoryMap.map((module: unknown, index) => {
    if (!Array.isArray(module) || module.length !== 2)
      throw invalidModules(`module index ${index} does not have a debug_filename and debug_id`);
    const [debugFilename, debugId]: unknown[] = module;
    if (typeof debugFilename !== "string")
      throw invalidModules(`module index ${index} has an invalid debug_filename`);
    if (typeof debugId !== "string") throw invalidModules(`module index ${index} has an invalid debug_id`);
    return [debugFilename, debugId];
  });
}

function parseStacks(stacks: unknown, modules: number): Omit<Job, "memoryMap"> {
  if (!Array.isArray(stacks)) throw invalidStacks("stacks must be a list of lists");
  if (stacks.length === 0) throw invalidStacks("no stacks specified");

  const stackLengths = Uint32Array.from(stacks, (stack) => (Array.isArray(stack) ? stack.length : 0));
  const frames = stackLengths.reduce((sum, length) => sum + length, 0);
  const moduleIndexes = new Int32Array(frames);
  const moduleOffsets = new Float64Array(frames);
  let exactOffsets = new BigUint64Array();

  let position = 0;
  for (const [stackIndex, stack] of stacks.entries()) {
    if (!Array.isArray(stack)) throw invalidStacks(`stack ${stackIndex} is not a list`);
    for (let frameIndex = 0; frameIndex < stack.length; frameIndex++, position++) {
      const frame: unknown = stack[frameIndex];
      const invalid = (what: string) => invalidStacks(`stack ${stackIndex} frame ${frameIndex} ${what}`);
      if (!Array.isArray(frame) || frame.length !== 2) throw invalid("is not a list of two items");
      const [moduleIndex, moduleOffset]: unknown[] = frame;

      if (typeof moduleIndex === "bigint") throw invalid("has a module_index that isn't in modules");
      if (!isInteger(moduleIndex)) throw invalid("has an invalid module_index");
      if (moduleIndex < -1 || moduleIndex >= modules)
        throw invalid("has a module_index that isn't in modules");
      moduleIndexes[position] = moduleIndex;

      if (isInteger(moduleOffset) && Number.isSafeInteger(moduleOffset)) {
        if (moduleOffset < -1) throw invalid("has an invalid module_offset");
        moduleOffsets[position] = moduleOffset;
      } else {
        // parseJson() returns 1e19 as a number and 10000000000000000001 as a bigint.
        const exact = isInteger(moduleOffset) ? BigInt(moduleOffset) : moduleOffset;
        if (typeof exact !== "bigint" || exact < 0n || exact > maxModuleOffset)
          throw invalid("has an invalid module_offset");
        moduleOffsets[position] = Number(exact);
        if (exactOffsets.length === 0) exactOffsets = new BigUint64Array(frames);
        exactOffsets[position] = exact;
      }
    }
  }
  return { stackLengths, moduleIndexes, moduleOffsets, exactOffsets };
}

function invalidModules(what: string): RequestError {
  return new RequestError(what, "invalid_modules");
}

function invalidStacks(what: string): RequestError {
  return new RequestError(what, "invalid_stacks");
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
