import { z } from "zod";
import { integer, size } from "./formats.ts";
import { constant, setting } from "./setting.ts";

/** The threads that look up offsets in symcaches. */
export const LookupSettings = z.object({
  threads: setting("ELIOT_LOOKUP_WORKERS", integer(1, 64), "2", "threads that look up offsets"),
  memoryBytes: setting(
    "ELIOT_LOOKUP_MEMORY",
    size("1mb"),
    "1gb",
    "memory in which these threads together keep pages of symcaches; each uses at least 8 MB",
  ),
  /** Without progress of the thread. */
  timeoutMs: constant(60_000),
});
