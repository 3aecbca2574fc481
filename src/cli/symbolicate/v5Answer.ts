import { z } from "zod";
import type { Answer } from "../../../web/static/captures/answer.js";
import { CommandError } from "../commandError.ts";

const location = {
  function: z.string().optional(),
  file: z.string().optional(),
  line: z.number().optional(),
};

/** What is read of a v5 answer; a service may say more. */
const V5Answer = z.looseObject({
  results: z.array(
    z.looseObject({
      found_modules: z.record(z.string(), z.boolean().nullable()),
      stacks: z.array(
        z.array(
          z.looseObject({
            frame: z.number(),
            module: z.string(),
            module_offset: z.string(),
            function_offset: z.string().optional(),
            inlines: z.array(z.looseObject(location)).optional(),
            ...location,
          }),
        ),
      ),
    }),
  ),
});

/** Takes a v5 answer for what it is. Throws a CommandError where it isn't one. */
export function checkV5Answer(answer: unknown): Answer {
  const result = V5Answer.safeParse(answer);
  if (result.success) return answer as Answer;
  const [issue] = result.error.issues;
  throw new CommandError("failed", `the answer is none of v5: ${issue?.path.join(".")}: ${issue?.message}`);
}
