import type { Frame, Location, ModuleAddress, Stack } from "./capture.ts";

/** The samples of a profile's thread, independent of the profile's format. */
export interface SampledThread {
  samples: Iterable<[stack: number | null | undefined, weight: number]>;
  /** The stack without its innermost frame. */
  callerOf: (stack: number) => number | null | undefined;
  /** The innermost frame of a stack. */
  frameOf: (stack: number) => number;
  /** Over 0 for a call that was inlined into the next outer frame. */
  inlineDepth: (frame: number) => number;
  addressOf: (frame: number, isReturnAddress: boolean) => ModuleAddress;
  locationOf: (frame: number) => Location;
}

/**
 * The distinct stacks of a thread, most frequently sampled first. Frames are computed on access, as a profile may have a
 * hundred thousand stacks. Throws a TypeError if callers form a cycle.
 */
export function distinctStacks(thread: SampledThread): Stack[] {
  const counts = new Map<number, number>();
  for (const [stack, weight] of thread.samples)
    if (stack != null) counts.set(stack, (counts.get(stack) ?? 0) + weight);
  checkCallers(thread, counts.keys());
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([stack, samples]) => ({
      samples,
      get frames() {
        return framesOf(thread, stack);
      },
    }));
}

function checkCallers(thread: SampledThread, stacks: Iterable<number>): void {
  const checked = new Set([-1]);
  for (const innermost of stacks)
    for (let stack = innermost; !checked.has(stack); stack = callerBefore(thread, stack) ?? -1)
      checked.add(stack);
}

/** The caller of a stack. Throws a TypeError unless it precedes the stack in its table. */
export function callerBefore(thread: Pick<SampledThread, "callerOf">, stack: number): number | null {
  const caller = thread.callerOf(stack) ?? null;
  if (caller !== null && caller >= stack)
    throw new TypeError(`the caller of stack ${stack} doesn't precede it in the stack table`);
  return caller;
}

function framesOf(thread: SampledThread, innermost: number): Frame[] {
  const frames: Frame[] = [];
  let inlines: Location[] = [];
  for (let stack = innermost; stack >= 0; stack = thread.callerOf(stack) ?? -1) {
    const frame = thread.frameOf(stack);
    const location = thread.locationOf(frame);
    if (thread.inlineDepth(frame) > 0) {
      inlines.push(location);
      continue;
    }
    const known = inlines.length > 0 ? { ...location, inlines } : location;
    frames.push({ ...thread.addressOf(frame, frames.length > 0), known });
    inlines = [];
  }
  return frames;
}
