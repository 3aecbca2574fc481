import { z } from "zod";
import { maxModuleOffset } from "../src/codec/parseJob.ts";
import { maxJobs } from "../src/codec/parseRequest.ts";

/*
 * The document's named schemas. Requests are parsed by the codec, because zod would be too slow for a million frames;
 * a test compares both. Responses are validated in tests only.
 */
export const components = z.registry<{ id: string }>();

/** Up to 2^64 − 1, as parsed by the codec: a bigint if a number would not be exact. */
function integer(minimum: number) {
  const isValid = (value: unknown) =>
    (Number.isInteger(value) || typeof value === "bigint") &&
    BigInt(value as number) >= minimum &&
    BigInt(value as number) <= maxModuleOffset;
  return z.custom<number | bigint>(isValid).meta({ type: "integer", minimum });
}

const DebugFilename = z
  .string()
  .describe(
    "name of the file with the debug information, such as `xul.pdb`; empty: no module. A module has no symbols if its name has " +
      "over 255 bytes, is `.` or `..`, or has `/`, `\\`, a control character or an unpaired surrogate",
  );
const DebugId = z
  .string()
  .describe(
    "Breakpad debug id of up to 64 hex digits, upper or lower case; empty: no module. A module with any other id has no symbols. For a Windows " +
      "module with an unknown debug id, send its code id, and its code file as `debugFilename`",
  );
const ModuleIndex = z.int().min(-1).describe("index into `memoryMap`; −1: no module");
const ModuleOffset = integer(-1).describe("offset from the start of the module, up to 2^64 − 1; −1: unknown");

const Job = z
  .looseObject({
    memoryMap: z.array(z.tuple([DebugFilename, DebugId])),
    stacks: z.array(z.array(z.tuple([ModuleIndex, ModuleOffset]))).min(1),
  })
  .refine(({ memoryMap, stacks }) =>
    stacks.every((stack) => stack.every(([moduleIndex]) => moduleIndex < memoryMap.length)),
  )
  .describe("stacks of frames, and the modules that they refer to")
  .register(components, { id: "Job" });

const JobList = z.looseObject({ jobs: z.array(Job).max(maxJobs) }).register(components, { id: "JobList" });

export const V5Request = z
  .union([JobList, Job])
  .refine((body) => !("jobs" in body) || JobList.safeParse(body).success)
  .describe("a list of jobs, or a single job")
  .register(components, { id: "V5Request" });

export const V4Request = Job;

const Address = z
  .union([z.string().regex(/^(0x)?[0-9A-Fa-f]{1,16}$/), integer(0)])
  .describe("a memory address, up to 2^64 − 1: hex such as `0x7f0000001000`, or an integer")
  .register(components, { id: "Address" });

const PingModule = z.looseObject({
  base_address: Address.nullish().describe(
    "any value that is not an address: frames of this module have no module",
  ),
  end_address: Address.nullish().describe("the first address after the module"),
  debug_file: z
    .string()
    .nullish()
    .describe("as `debugFilename` of a job, with or without a path; if empty, `filename` is used"),
  debug_id: z.string().nullish().describe("as `debugId` of a job"),
  filename: z.string().nullish().describe("name to use in the response, such as `xul.dll` for `xul.pdb`"),
  code_id: z
    .string()
    .nullish()
    .describe(
      "used if `debug_id` is missing, empty or all zeros: a build id, or with `filename` a Windows code id",
    ),
});

const PingFrame = z.looseObject({
  ip: Address.nullish().describe(
    "if it is below the `base_address`, the frame has no module; any value that is not an address is an unknown offset in the module",
  ),
  module_index: z.int().nullish().describe("index into `modules`; out of range or absent: no module"),
  trust: z.string().optional().describe("`context`, `cfi`, `scan` and so on; copied to the response"),
});

const CrashPing = z
  .looseObject({
    crash_thread: z.int().min(0).nullish().describe("index of the crashing thread; default 0"),
    crash_address: Address.nullish().describe(
      "gives the crashing thread a frame with the trust `crash_address` if it has none",
    ),
    modules: z.array(PingModule).optional(),
    threads: z.array(z.looseObject({ frames: z.array(PingFrame).optional() })),
  })
  .describe(
    "`stack_traces` of a crash ping; keys may be camelCase. An invalid module or frame does not affect other frames",
  )
  .register(components, { id: "CrashPing" });

export const BulkLine = z
  .union([Job, CrashPing])
  .refine((line) => !("threads" in line) || CrashPing.safeParse(line).success)
  .describe("a job or a crash ping")
  .register(components, { id: "BulkLine" });

const hex = z.string().regex(/^-?0x[0-9a-f]+$/);
const location = {
  function: z.string().optional(),
  file: z.string().optional().describe("source path as in the sym file"),
  line: z.int().min(1).optional(),
};

const InlinedCall = z
  .object({ ...location, function: z.string() })
  .register(components, { id: "InlinedCall" });

const Frame = z
  .object({
    frame: z.int().min(0).describe("index in the stack"),
    module: z
      .string()
      .describe("debug filename, or the binary's name if known; `<unknown>` without a module"),
    module_offset: hex,
    trust: z.string().optional().describe("copied from a crash ping"),
    inlined: z.literal(true).optional().describe("with `inlines=flat`: this is an inlined call"),
    function_offset: hex.optional().describe("offset from the start of the function"),
    ...location,
    inlines: z.array(InlinedCall).min(1).optional().describe("inlined calls, innermost first"),
  })
  .describe("a frame with the outermost function at its offset; unknown keys are absent")
  .register(components, { id: "Frame" });

const FoundModules = z
  .record(z.string(), z.boolean().nullable())
  .describe(
    "whether symbols were found, by `debugFilename/debugId`; null: no frame refers to the module, or it has no name or id",
  );
const result = { stacks: z.array(z.array(Frame)), found_modules: FoundModules };

const seconds = z.number().min(0).describe("in seconds");
const perModule = z.record(z.string(), z.number().min(0));
const Status = z.enum([
  "cached",
  "converted",
  "not_found",
  "malformed",
  "download_failed",
  "too_large",
  "timeout",
  "overloaded",
  "failed",
]);
const Statuses = z.record(z.string(), z.object({ status: Status, reason: z.string().optional() }));

const DebugReport = z
  .object({
    time: seconds,
    cache_lookups: z.object({ count: z.int(), hits: z.int(), time: seconds }),
    downloads: z.object({
      count: z.int(),
      size: z.int().describe("bytes"),
      time: seconds,
      size_per_module: perModule,
      time_per_module: perModule,
      fail_time_per_module: perModule,
    }),
    parse_sym: z.object({ time: seconds, time_per_module: perModule, fail_time_per_module: perModule }),
    save_symcache: z.object({ time: seconds, time_per_module: perModule }),
    modules: z.object({ count: z.int(), stacks_per_module: perModule, status_per_module: Statuses }),
  })
  .register(components, { id: "DebugReport" });

const withDebugHeader = "only if the request has a `Debug` header";

export const V5Response = z
  .object({
    results: z.array(z.object(result)).describe("one per job"),
    debug: DebugReport.optional().describe(withDebugHeader),
  })
  .register(components, { id: "V5Response" });

export const V4Response = z
  .object({
    symbolicatedStacks: z
      .array(z.array(z.string()))
      .describe("`function (in module)`, with the offset if the function is unknown"),
    knownModules: z.array(z.boolean().nullable()).describe("as `found_modules`, in the order of `memoryMap`"),
  })
  .register(components, { id: "V4Response" });

const debug = z
  .object({ modules: z.object({ status_per_module: Statuses }) })
  .optional()
  .describe(withDebugHeader);

export const BulkResponseLine = z
  .union([
    z.object({ ...result, debug }).describe("for a job"),
    z
      .object({
        threads: z.array(z.object({ frames: z.array(Frame) })).describe("the requested threads"),
        crash_thread: z.int().min(0).describe("index of the crashing thread in `threads`"),
        found_modules: FoundModules,
        debug,
      })
      .describe("for a crash ping"),
    z
      .object({
        error: z.object({
          title: z.string(),
          fatal: z.literal(true).optional().describe("the response ends here, before the last line"),
        }),
      })
      .describe("for an invalid line"),
  ])
  .register(components, { id: "BulkResponseLine" });

export const ErrorResponse = z
  .object({ title: z.string().describe("what is wrong") })
  .register(components, { id: "Error" });

const Level = z.enum(["ok", "warning", "error"]);
export const Health = z
  .object({
    status: Level.describe("the worst level of all checks"),
    checks: z.record(z.string(), Level),
    details: z.record(z.string(), z.object({ status: Level, messages: z.array(z.string()) })),
  })
  .register(components, { id: "Health" });

export const Liveness = z.object({ status: z.literal("ok") }).register(components, { id: "Liveness" });

export const CacheCounts = z
  .object({
    symcaches: z.int().min(0).describe("number of symcaches on disk"),
    bytes: z.int().min(0).describe("their total size"),
    max_bytes: z.int().min(0).describe("the size limit"),
    hits: z.int().min(0).describe("module lookups since the start whose symcache was on disk"),
    misses: z.int().min(0),
  })
  .register(components, { id: "CacheCounts" });

export const Version = z
  .object({
    source: z.string().optional(),
    version: z.string().optional(),
    commit: z.string().optional(),
    build: z.string().optional(),
  })
  .describe("`version.json` of the image; `{}` if there is none")
  .register(components, { id: "Version" });
