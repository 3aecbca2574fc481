import { listModules, type Job, type MemoryMapEntry } from "../symbolication/job.ts";

export const maxDebugFilenameBytes = 255;
/** All but `.` and `..`. */
export const debugFilenamePattern = /^(?!\.\.?$)[[\]A-Za-z0-9_.+{}@<> ~-]*$/;
export const debugIdPattern = /^[0-9A-Fa-f]{0,64}$/;
export const maxModuleOffset = 2n ** 64n - 1n;

export type JsonObject = Record<string, unknown>;

/** A job breaks a rule, which the message says. */
export class InvalidJob extends Error {
  override name = "InvalidJob";
  /** Where in the job; undefined: in what it is or has at all. */
  readonly part: "modules" | "stacks" | undefined;

  constructor(message: string, part?: "modules" | "stacks") {
    super(message);
    this.part = part;
  }
}

/** Throws an InvalidJob. */
export function parseJob(job: JsonObject): Job {
  if (!("stacks" in job)) throw new InvalidJob("no stacks specified");
  if (!("memoryMap" in job)) throw new InvalidJob("no memoryMap specified");
  const memoryMap = parseMemoryMap(job.memoryMap);
  return { memoryMap: listModules(memoryMap), ...parseStacks(job.stacks, memoryMap.length) };
}

function parseMemoryMap(memoryMap: unknown): MemoryMapEntry[] {
  if (!Array.isArray(memoryMap)) throw invalidModules("modules must be a list");
  return memoryMap.map((module: unknown, index) => {
    if (!Array.isArray(module) || module.length !== 2)
      throw invalidModules(`module index ${index} does not have a debug_filename and debug_id`);
    const [debugFilename, debugId]: unknown[] = module;
    if (!isDebugFilename(debugFilename))
      throw invalidModules(`module index ${index} has an invalid debug_filename`);
    if (!isDebugId(debugId)) throw invalidModules(`module index ${index} has an invalid debug_id`);
    return [debugFilename, debugId];
  });
}

export function isDebugFilename(value: unknown): value is string {
  // The pattern admits ASCII alone, so characters are bytes.
  return (
    typeof value === "string" && value.length <= maxDebugFilenameBytes && debugFilenamePattern.test(value)
  );
}

export function isDebugId(value: unknown): value is string {
  return typeof value === "string" && debugIdPattern.test(value);
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
  for (const [stackNumber, stack] of stacks.entries()) {
    if (!Array.isArray(stack)) throw invalidStacks(`stack ${stackNumber} is not a list`);
    for (let frameNumber = 0; frameNumber < stack.length; frameNumber++, position++) {
      const frame: unknown = stack[frameNumber];
      const wrong = (what: string) => invalidStacks(`stack ${stackNumber} frame ${frameNumber} ${what}`);
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

function invalidModules(what: string): InvalidJob {
  return new InvalidJob(what, "modules");
}

function invalidStacks(what: string): InvalidJob {
  return new InvalidJob(what, "stacks");
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
