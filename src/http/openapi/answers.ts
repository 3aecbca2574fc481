import { z } from "zod";
import { components } from "./components.ts";

/* What answers are. Tests hold every answer that they get against these. */

const hex = z.string().regex(/^-?0x[0-9a-f]+$/);

const locationKeys = {
  function: z.string().optional().describe("name of the function"),
  file: z.string().optional().describe("path of the source file, as the sym file has it"),
  line: z.int().min(1).optional().describe("line in `file`"),
};

const InlinedCall = z
  .object({ ...locationKeys, function: z.string() })
  .describe("a call that was inlined")
  .register(components, { id: "InlinedCall" });

const Frame = z
  .object({
    frame: z.int().min(0).describe("number in the stack"),
    module: z
      .string()
      .describe("debug filename, or the binary's name where that is known; `<unknown>` without a module"),
    module_offset: hex.describe("address relative to the module"),
    trust: z.string().optional().describe("as a crash ping has it"),
    inlined: z.literal(true).optional().describe("with `inlines=flat`: it is a call that was inlined"),
    function_offset: hex.optional().describe("address relative to the start of the function"),
    ...locationKeys,
    inlines: z
      .array(InlinedCall)
      .min(1)
      .optional()
      .describe("calls that were inlined there, innermost first"),
  })
  .describe("what is at one address: the outermost function there, absent where unknown")
  .register(components, { id: "Frame" });

const FoundModules = z
  .record(z.string(), z.boolean().nullable())
  .describe(
    "by `debugFilename/debugId`, as the request has them: whether symbols were found; null: no frame points into the module, or it has no name or no id",
  );

const resultKeys = {
  stacks: z.array(z.array(Frame)).describe("in the order and number of the request's"),
  found_modules: FoundModules,
};

const seconds = z.number().min(0).describe("in seconds");
const perModule = z.record(z.string(), z.number().min(0));

const Statuses = z
  .record(
    z.string(),
    z.object({
      status: z.enum([
        "cached",
        "converted",
        "not_found",
        "malformed",
        "download_failed",
        "too_large",
        "timeout",
        "overloaded",
        "failed",
      ]),
      reason: z.string().optional().describe("in words"),
    }),
  )
  .describe("what became of each module");

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
  .describe("how the answer came about")
  .register(components, { id: "DebugReport" });

export const V5Answer = z
  .object({
    results: z.array(z.object(resultKeys)).describe("one for each job, in order"),
    debug: DebugReport.optional().describe("where the request has a `Debug` header"),
  })
  .register(components, { id: "V5Answer" });

export const V4Answer = z
  .object({
    symbolicatedStacks: z
      .array(z.array(z.string()))
      .describe("`function (in module)`; the offset where the function is unknown"),
    knownModules: z
      .array(z.boolean().nullable())
      .describe("`found_modules` of v5, in the order of the memory map"),
  })
  .register(components, { id: "V4Answer" });

const debug = z
  .object({ modules: z.object({ status_per_module: Statuses }) })
  .optional()
  .describe("where the request has a `Debug` header");

export const BulkAnswerLine = z
  .union([
    z.object({ ...resultKeys, debug }).describe("to a job"),
    z
      .object({
        threads: z.array(z.object({ frames: z.array(Frame) })).describe("those that were asked for"),
        crash_thread: z.int().min(0).describe("position in `threads` of the one that crashed"),
        found_modules: FoundModules,
        debug,
      })
      .describe("to a crash ping"),
    z
      .object({
        error: z.object({
          title: z.string(),
          fatal: z.literal(true).optional().describe("the stream ends here, though there were more lines"),
        }),
      })
      .describe("to a line that can't be answered"),
  ])
  .describe("the answer to one line")
  .register(components, { id: "BulkAnswerLine" });

export const ErrorAnswer = z
  .object({ title: z.string().describe("what is wrong") })
  .describe("a request that can't be answered")
  .register(components, { id: "Error" });

const Level = z.enum(["ok", "warning", "error"]);

export const Health = z
  .object({
    status: Level.describe("the worst of all checks"),
    checks: z.record(z.string(), Level),
    details: z.record(z.string(), z.object({ status: Level, messages: z.array(z.string()) })),
  })
  .register(components, { id: "Health" });

/** To load balancers, which want no more than the status; health once the service is shutting down. */
export const Liveness = z.object({ status: z.literal("ok") }).register(components, { id: "Liveness" });

export const CacheCounts = z
  .object({
    symcaches: z.int().min(0).describe("in the folder"),
    bytes: z.int().min(0).describe("of all of them"),
    max_bytes: z.int().min(0).describe("how many these may be"),
    hits: z
      .int()
      .min(0)
      .describe("lookups since the start, of one module each, whose symcache was in the folder"),
    misses: z.int().min(0).describe("the others"),
  })
  .describe("what the cache holds, and how often it is hit")
  .register(components, { id: "CacheCounts" });

export const Version = z
  .object({
    source: z.string().optional(),
    version: z.string().optional(),
    commit: z.string().optional(),
    build: z.string().optional(),
  })
  .describe("`version.json` as it was written when the image was built; `{}` where there is none")
  .register(components, { id: "Version" });
