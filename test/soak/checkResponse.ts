import { isDeepStrictEqual } from "node:util";
import { locationIn, type SyntheticModule } from "../support/syntheticModule.ts";
import type { AskedJob, SoakRequest } from "./request.ts";

/** What an answer says of the modules that were asked for. */
export interface Checked {
  found: SyntheticModule[];
  /** No source has symbols of some; the others may have an excuse. */
  bare: (SyntheticModule | undefined)[];
}

/** Compares each frame of an answer of 200 with what it must be. Throws an error that says where they differ. */
export function checkResponse({ version, jobs }: SoakRequest, response: unknown): Checked {
  const used = new Set(jobs.flatMap(usedModules));
  if (version === "v4") return checkV4(jobs[0] as AskedJob, used, response);
  const { results } = response as { results: V5Result[] };
  if (results.length !== jobs.length) throw new Error(`${results.length} results of ${jobs.length} jobs`);
  const checked = jobs.map((job, number) => checkV5(job, used, results[number] as V5Result));
  return { found: checked.flatMap(({ found }) => found), bare: checked.flatMap(({ bare }) => bare) };
}

interface V5Result {
  stacks: object[][];
  found_modules: Record<string, boolean | null>;
}

/** Keys of the modules that frames point into. */
function usedModules({ memoryMap, stacks }: AskedJob): string[] {
  return stacks.flat().map(([index]) => memoryMap[index]?.join("/") ?? "");
}

function checkV5(job: AskedJob, used: Set<string>, { stacks, found_modules }: V5Result): Checked {
  const isFound = job.memoryMap.map((pair) => found_modules[pair.join("/")]);
  const expected = job.stacks.map((stack) =>
    stack.map(([index, offset], frame) => ({
      frame,
      module: job.memoryMap[index]?.[0] ?? "<unknown>",
      module_offset: `0x${offset.toString(16)}`,
      ...(isFound[index] ? location(job, index, offset) : {}),
    })),
  );
  compare(stacks, expected);
  return check(job, used, isFound);
}

function checkV4(job: AskedJob, used: Set<string>, response: unknown): Checked {
  const { symbolicatedStacks, knownModules } = response as {
    symbolicatedStacks: string[][];
    knownModules: (boolean | null)[];
  };
  const expected = job.stacks.map((stack) =>
    stack.map(([index, offset]) => {
      const name = job.memoryMap[index]?.[0] ?? "<unknown>";
      const found = knownModules[index] ? location(job, index, offset) : undefined;
      return `${found?.function ?? `0x${offset.toString(16)}`} (in ${name})`;
    }),
  );
  compare(symbolicatedStacks, expected);
  return check(job, used, knownModules);
}

function location(job: AskedJob, index: number, offset: number) {
  const module = job.modules[index];
  if (!module) throw new Error(`symbols of ${job.memoryMap[index]?.join("/")}, which nobody has`);
  return locationIn(module, offset);
}

function check(job: AskedJob, used: Set<string>, isFound: (boolean | null | undefined)[]): Checked {
  const checked: Checked = { found: [], bare: [] };
  for (const [index, module] of job.modules.entries()) {
    const outcome = isFound[index];
    const key = job.memoryMap[index]?.join("/") ?? "";
    const isUsed = used.has(key);
    if (typeof outcome !== (isUsed ? "boolean" : "object"))
      throw new Error(`${key} is ${outcome}, but ${isUsed ? "" : "not "}used`);
    if (outcome && module) checked.found.push(module);
    else if (isUsed) checked.bare.push(module);
  }
  return checked;
}

function compare(answered: unknown[][], expected: unknown[][]): void {
  if (isDeepStrictEqual(answered, expected)) return;
  if (answered.length !== expected.length) throw new Error(`${answered.length} stacks of ${expected.length}`);
  for (const [stack, frames] of expected.entries())
    for (const [frame, right] of frames.entries()) {
      const wrong = answered[stack]?.[frame];
      if (!isDeepStrictEqual(wrong, right))
        throw new Error(
          `stack ${stack}, frame ${frame}: ${JSON.stringify(wrong)}, not ${JSON.stringify(right)}`,
        );
    }
  throw new Error("more frames than were asked for");
}
