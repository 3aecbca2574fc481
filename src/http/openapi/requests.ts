import { z } from "zod";
import { components } from "./components.ts";
import {
  debugFilenamePattern,
  debugIdPattern,
  maxDebugFilenameBytes,
  maxModuleOffset,
} from "../../codec/parseJob.ts";
import { maxJobs } from "../../codec/parseRequest.ts";

/*
 * What bodies may be. They are checked by the loops of parseJob.ts and crashPing.ts, for a body can hold a million frames;
 * a test holds the two against each other.
 */

/** An integer up to 2^64 − 1 as parseJson() gives it: a bigint where a number would not be exact. */
function integer(minimum: number) {
  const isOne = (value: unknown) =>
    (Number.isInteger(value) || typeof value === "bigint") &&
    BigInt(value as number) >= minimum &&
    BigInt(value as number) <= maxModuleOffset;
  return z.custom<number | bigint>(isOne).meta({ type: "integer", minimum });
}

const DebugFilename = z
  .string()
  .max(maxDebugFilenameBytes)
  .regex(debugFilenamePattern)
  .describe(
    "name of the file that the debug information belongs to, `xul.pdb` or `libxul.so`; empty: no module",
  );

const DebugId = z
  .string()
  .regex(debugIdPattern)
  .describe("its Breakpad identifier, in upper or lower case; empty: no module");

const ModuleIndex = z.int().min(-1).describe("position in `memoryMap`, or −1 for none");
const ModuleOffset = integer(-1).describe(
  "address relative to the module, up to 2^64 − 1, or −1 for unknown",
);

const Job = z
  .looseObject({
    memoryMap: z.array(z.tuple([DebugFilename, DebugId])).describe("the modules that frames point into"),
    stacks: z
      .array(z.array(z.tuple([ModuleIndex, ModuleOffset])))
      .min(1)
      .describe("frames of threads"),
  })
  .refine(({ memoryMap, stacks }) =>
    stacks.every((stack) => stack.every(([moduleIndex]) => moduleIndex < memoryMap.length)),
  )
  .describe("stacks of addresses in modules")
  .register(components, { id: "Job" });

const JobList = z
  .looseObject({ jobs: z.array(Job).max(maxJobs) })
  .describe(`up to ${maxJobs} jobs`)
  .register(components, { id: "JobList" });

export const V5Request = z
  .union([JobList, Job])
  .refine((body) => !("jobs" in body) || JobList.safeParse(body).success)
  .describe("a list of jobs, or one alone")
  .register(components, { id: "V5Request" });

export const V4Request = Job;

const Address = z
  .union([z.string().regex(/^(0x)?[0-9A-Fa-f]{1,16}$/), integer(0)])
  .describe("an address in memory: hex such as `0x7f0000001000`, or an integer, up to 2^64 − 1")
  .register(components, { id: "Address" });

const PingModule = z.looseObject({
  base_address: Address,
  debug_file: z
    .string()
    .optional()
    .describe("as `debugFilename` of a job; what no symbols can have counts as none"),
  debug_id: z.string().optional().describe("as `debugId` of a job; likewise"),
  filename: z.string().optional().describe("what answers call it, `xul.dll` for `xul.pdb`"),
});

const PingFrame = z.looseObject({
  ip: Address,
  module_index: z.int().min(-1).optional().describe("position in `modules`; absent or −1: in none"),
  trust: z.string().optional().describe("how the frame was found: `context`, `cfi`, `scan`; given back"),
});

const CrashPing = z
  .looseObject({
    crash_thread: z
      .int()
      .min(0)
      .optional()
      .describe("position in `threads` of the one that crashed; 0 where it is absent"),
    modules: z.array(PingModule).optional(),
    threads: z.array(z.looseObject({ frames: z.array(PingFrame).optional() })),
  })
  .describe("`stack_traces` of a crash ping; its keys may be in camelCase, as Android's are")
  .register(components, { id: "CrashPing" });

export const BulkLine = z
  .union([Job, CrashPing])
  .refine((line) => !("threads" in line) || CrashPing.safeParse(line).success)
  .describe("a job or a crash ping")
  .register(components, { id: "BulkLine" });
