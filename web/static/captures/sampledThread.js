/**
 * @import { Frame, Location, Stack } from "./capture.js"
 *
 * The samples of a profile's thread, whichever format they come from.
 * @typedef {object} SampledThread
 * @property {[stack: number | null | undefined, weight: number][]} samples
 * @property {(stack: number) => number | null | undefined} callerOf the stack without its innermost frame
 * @property {(stack: number) => number} frameOf the innermost frame of a stack
 * @property {(frame: number) => number} inlineDepth over 0: a call that was inlined into the frame that follows
 * @property {(frame: number, isReturnAddress: boolean) => Omit<Frame, "known">} addressOf
 * @property {(frame: number) => Location} locationOf
 */

/**
 * The distinct stacks of a thread, those of most samples first. Their frames are put together when asked for: a profile may
 * have a hundred thousand stacks. Throws a TypeError where callers lead round in a circle.
 * @param {SampledThread} thread
 * @returns {Stack[]}
 */
export function distinctStacks(thread) {
  /** @type {Map<number, number>} */
  const counts = new Map();
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

/**
 * @param {SampledThread} thread
 * @param {Iterable<number>} stacks
 */
function checkCallers(thread, stacks) {
  const checked = new Set([-1]);
  for (const innermost of stacks)
    for (let stack = innermost; !checked.has(stack);) {
      checked.add(stack);
      const caller = thread.callerOf(stack) ?? -1;
      if (caller >= stack) throw new TypeError(`stack ${stack} has a caller that doesn't stand before it`);
      stack = caller;
    }
}

/**
 * @param {SampledThread} thread
 * @param {number} innermost
 * @returns {Frame[]}
 */
function framesOf(thread, innermost) {
  /** @type {Frame[]} */
  const frames = [];
  /** @type {Location[]} */
  let inlines = [];
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
