import { z } from "zod";
import { RequestError } from "../requestError.ts";

const badFrames = "frames must be a whole number from 1 to 999999999";

/** The query of `/symbolicate/bulk`. */
export const BulkOptions = z.strictObject(
  {
    inlines: z
      .enum(["nested", "flat"], "inlines must be nested or flat")
      .default("nested")
      .describe("`flat`: each inlined call is its own frame, innermost first"),
    thread: z
      .enum(["all", "crashing"], "thread must be all or crashing")
      .default("all")
      .describe("`crashing`: only the crashing thread of a ping"),
    frames: z
      .string(badFrames)
      .regex(/^[1-9][0-9]{0,8}$/, badFrames)
      .transform(Number)
      .optional()
      .describe("number of frames from the top of each stack, not counting inlined calls"),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no option ${issue.keys.join(", ").slice(0, 100)}`
        : undefined,
  },
);
export type BulkOptions = z.infer<typeof BulkOptions>;

/** Throws a RequestError that names the invalid option. */
export function readBulkOptions(query: object): BulkOptions {
  const result = BulkOptions.safeParse(query);
  if (result.success) return result.data;
  throw new RequestError(result.error.issues[0]?.message ?? "the query is invalid");
}
