import type { Capture, CaptureOfAnySize, Thread } from "./capture.ts";
import { moduleState, type ModuleOutcome, type Result } from "./response.ts";
import { stackText } from "./stackText.ts";
import type { SymbolicatedCapture } from "./symbolicateCapture.ts";
import { counted } from "./numberText.ts";
import { printableLine } from "./printable.ts";

/** Which stacks of a capture are printed. */
export interface Choice {
  threads: "crashed" | "all";
  /** Number of stacks per thread, most frequently sampled first. */
  stacks: number;
}

/** A capture with only the chosen threads and stacks. */
export interface ChosenCapture extends Capture {
  threads: ChosenThread[];
  hiddenThreads: number;
}

interface ChosenThread extends Thread {
  /** Counts before the choice. */
  all: { samples: number; stacks: number };
}

export function choose(capture: CaptureOfAnySize, { threads, stacks }: Choice): ChosenCapture {
  const withStacks: ChosenThread[] = [];
  // The chosen stacks are copied, so that the rest of a thread is not kept.
  for (const thread of capture.threads)
    if (thread.stacks.length > 0)
      withStacks.push({
        ...thread,
        stacks: thread.stacks.slice(0, stacks).map((stack) => ({ ...stack })),
        all: {
          samples: thread.stacks.reduce((sum, { samples = 0 }) => sum + samples, 0),
          stacks: thread.stacks.length,
        },
      });
  const crashed = threads === "crashed" ? withStacks.filter((thread) => thread.isCrashed) : [];
  const chosen = crashed.length > 0 ? crashed : withStacks;
  return { ...capture, threads: chosen, hiddenThreads: withStacks.length - chosen.length };
}

/** The results of a request as text. */
export function* resultsText(results: Result[]): Generator<string> {
  for (const [job, { stacks }] of results.entries())
    for (const [index, stack] of stacks.entries())
      yield `${results.length > 1 ? `job ${job}, ` : ""}stack ${index}\n${stackText(stack)}\n\n`;
}

/** A profile or a crash as text, with the options of `tseliot symbolicate` that show more. */
export function* captureText(
  { format, reason, threads, hiddenThreads }: ChosenCapture,
  { frameOf }: SymbolicatedCapture,
): Generator<string> {
  yield `${format}${reason === undefined ? "" : `: ${printableLine(reason)}`}\n\n`;
  for (const { name, isCrashed, stacks, all } of threads) {
    const counts = `${counted(all.samples, "sample")}, ${counted(all.stacks, "stack")}`;
    yield `${printableLine(name)}${isCrashed ? " (crashed)" : ""}${all.samples > 0 ? `: ${counts}` : ""}\n`;
    for (const { samples, frames } of stacks) {
      if (samples !== undefined) yield `  ${counted(samples, "sample")}\n`;
      yield `${frames.length === 0 ? "  no frames" : stackText(frames.map(frameOf))}\n\n`;
    }
    const hidden = all.stacks - stacks.length;
    if (hidden > 0) yield `  ${counted(hidden, "more stack")}: --stacks\n\n`;
  }
  if (hiddenThreads > 0) yield `${counted(hiddenThreads, "more thread")}: --threads all\n\n`;
}

/** A line for each module. */
export function* modulesText(outcomes: ModuleOutcome[]): Generator<string> {
  const used = usedOf(outcomes);
  if (used.length > 0) yield "modules\n";
  for (const outcome of used) {
    const { debugFilename, debugId, reason } = outcome;
    const module = `${debugFilename} ${debugId}`.trim();
    const why = reason === undefined ? "" : `: ${reason}`;
    yield `  ${moduleState(outcome).padEnd(9)}  ${printableLine(`${module}${why}`)}\n`;
  }
}

const maxNames = 5;

/** `2 of 3 modules have symbols; missing: nosuch.so (no source has a sym file)` */
export function modulesLine(outcomes: ModuleOutcome[]): string {
  const used = usedOf(outcomes);
  const missing = used.filter((outcome) => moduleState(outcome) !== "found");
  const names = missing
    .slice(0, maxNames)
    .map(({ debugFilename, reason }) => `${debugFilename}${reason === undefined ? "" : ` (${reason})`}`);
  const more = missing.length > maxNames ? [`${missing.length - maxNames} more`] : [];
  const list = missing.length === 0 ? "" : `; missing: ${[...names, ...more].join(", ")}`;
  return `${used.length - missing.length} of ${used.length} modules have symbols${printableLine(list)}`;
}

function usedOf(outcomes: ModuleOutcome[]): ModuleOutcome[] {
  return outcomes.filter((outcome) => moduleState(outcome) !== "unused");
}
