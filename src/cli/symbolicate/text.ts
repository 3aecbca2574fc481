import { verdict, type ModuleOutcome, type Result } from "../../../web/static/captures/answer.js";
import type { Capture, Thread } from "../../../web/static/captures/capture.js";
import { stackText } from "../../../web/static/captures/stackText.js";
import type { SymbolicatedCapture } from "../../../web/static/captures/symbolicateCapture.js";
import { counted } from "../numberText.ts";

/** What is shown of a capture. */
export interface Choice {
  threads: "crashed" | "all";
  /** Of each thread those that were seen most often. */
  stacks: number;
}

/** A capture with what is shown of it alone, and what each thread had in all. */
export interface ChosenCapture extends Capture {
  threads: ChosenThread[];
  hiddenThreads: number;
}

interface ChosenThread extends Thread {
  all: { samples: number; stacks: number };
}

export function choose(capture: Capture, { threads, stacks }: Choice): ChosenCapture {
  const withStacks = capture.threads.filter((thread) => thread.stacks.length > 0);
  const crashed = threads === "crashed" ? withStacks.filter((thread) => thread.isCrashed) : [];
  const chosen = crashed.length > 0 ? crashed : withStacks;
  return {
    ...capture,
    threads: chosen.map((thread) => ({
      ...thread,
      stacks: thread.stacks.slice(0, stacks),
      all: {
        samples: thread.stacks.reduce((sum, { samples = 0 }) => sum + samples, 0),
        stacks: thread.stacks.length,
      },
    })),
    hiddenThreads: withStacks.length - chosen.length,
  };
}

/** The results of a request, as a person reads them. */
export function* resultsText(results: Result[]): Generator<string> {
  for (const [job, { stacks }] of results.entries())
    for (const [number, stack] of stacks.entries())
      yield `${results.length > 1 ? `job ${job}, ` : ""}stack ${number}\n${stackText(stack)}\n\n`;
}

/** A profile or a crash, as a person reads it. */
export function* captureText(
  { format, reason, threads, hiddenThreads }: ChosenCapture,
  { frameOf }: SymbolicatedCapture,
): Generator<string> {
  yield `${format}${reason === undefined ? "" : `: ${reason}`}\n\n`;
  for (const { name, isCrashed, stacks, all } of threads) {
    const counts = `${counted(all.samples, "sample")}, ${counted(all.stacks, "stack")}`;
    yield `${name}${isCrashed ? " (crashed)" : ""}${all.samples > 0 ? `: ${counts}` : ""}\n`;
    for (const { samples, frames } of stacks) {
      if (samples !== undefined) yield `  ${counted(samples, "sample")}\n`;
      yield `${frames.length === 0 ? "  no frames" : stackText(frames.map(frameOf))}\n\n`;
    }
    const hidden = all.stacks - stacks.length;
    if (hidden > 0) yield `  ${counted(hidden, "more stack")}: --stacks\n\n`;
  }
  if (hiddenThreads > 0) yield `${counted(hiddenThreads, "more thread")}: --threads all\n\n`;
}

/** What became of the modules. */
export function* modulesText(outcomes: ModuleOutcome[]): Generator<string> {
  const used = usedOf(outcomes);
  if (used.length > 0) yield "modules\n";
  for (const outcome of used) {
    const { debugFilename, debugId, reason } = outcome;
    const why = reason === undefined ? "" : `: ${reason}`;
    yield `  ${verdict(outcome).padEnd(9)}  ${debugFilename} ${debugId}${why}\n`;
  }
}

/** The same in a line: `2 of 3 modules have symbols; none: nosuch.so (no source has a sym file)` */
export function modulesLine(outcomes: ModuleOutcome[]): string {
  const asked = usedOf(outcomes);
  const without = asked.filter((outcome) => verdict(outcome) !== "found");
  const names = without
    .slice(0, mostNames)
    .map(({ debugFilename, reason }) => `${debugFilename}${reason === undefined ? "" : ` (${reason})`}`);
  const more = without.length > mostNames ? [`${without.length - mostNames} more`] : [];
  const list = without.length === 0 ? "" : `; none: ${[...names, ...more].join(", ")}`;
  return `${asked.length - without.length} of ${asked.length} modules have symbols${list}`;
}

const mostNames = 5;

/** Without those that no frame points into. */
function usedOf(outcomes: ModuleOutcome[]): ModuleOutcome[] {
  return outcomes.filter((outcome) => verdict(outcome) !== "unused");
}
