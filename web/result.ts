import { moduleOutcomes, verdict } from "./captures/answer.js";
import { MemoryMap } from "./captures/capture.js";
import { isAskable, requestText } from "./captures/requestText.js";
import { symbolicateCapture } from "./captures/symbolicateCapture.js";
import { count, percent } from "./figures.js";

/**
 * @import { AnsweredFrame, ModuleOutcome } from "./captures/answer.js"
 * @import { Capture, Frame, Stack, Thread } from "./captures/capture.js"
 * @import { Post } from "./captures/symbolicateCapture.js"
 *
 * @typedef {object} ShownStack
 * @property {string} [title]
 * @property {AnsweredFrame[]} frames
 *
 * @typedef {object} ShownThread
 * @property {string} name
 * @property {string} note
 * @property {boolean} isCrashed
 * @property {boolean} isOpen at first
 * @property {ShownStack[]} stacks
 *
 * @typedef {object} Result
 * @property {string} heading
 * @property {string} [source] file that it came from
 * @property {string} [reason] why it crashed
 * @property {"stack" | "thread"} parts what its threads are called
 * @property {ShownThread[]} threads
 * @property {ModuleOutcome[]} outcomes
 * @property {string} copied what is copied: all, or what is open
 * @property {(stacks: ShownStack[]) => string} request a body that asks for these stacks
 * @property {(stacks: ShownStack[]) => object} answer what the service answers to that
 */

/** Stacks of a request that are open at first. */
const openStacks = 20;

/**
 * The result of a request, which goes to the service as it is.
 * @param {string} text
 * @param {Post} post
 * @returns {Promise<Result>}
 */
export async function requestResult(text, post) {
  const answer = await post(text);
  const { results } = answer;
  const threads = results.flatMap(({ stacks }, job) =>
    stacks.map((frames, stack) => ({
      name: results.length > 1 ? `Job ${job}, stack ${stack}` : `Stack ${stack}`,
      note: count(frames.length, "frame"),
      isCrashed: false,
      stacks: [{ frames }],
    })),
  );
  return {
    heading: results.length > 1 ? `Request of ${count(results.length, "job")}` : "Request",
    parts: "stack",
    threads: threads.map((thread, number) => ({ ...thread, isOpen: number < openStacks })),
    outcomes: moduleOutcomes(answer),
    copied: "Copy",
    request: () => text,
    answer: () => ({ results }),
  };
}

/**
 * The result of a profile or a crash, of which offsets alone go to the service.
 * @param {Capture} capture
 * @param {Post} post
 * @param {(done: number, all: number) => void} progress in modules
 * @returns {Promise<Result>}
 */
export async function captureResult(capture, post, progress) {
  const { outcomes, frameOf } = await symbolicateCapture(capture, post, progress);
  /** @type {Map<ShownStack, Stack>} */
  const captured = new Map();
  /**
   * @param {Stack} stack
   * @param {number} allSamples
   * @returns {ShownStack}
   */
  const showStack = (stack, allSamples) => {
    const { samples } = stack;
    const title =
      samples === undefined ? {} : { title: `${count(samples, "sample")}, ${percent(samples, allSamples)}` };
    const shown = {
      ...title,
      get frames() {
        return stack.frames.map(frameOf);
      },
    };
    captured.set(shown, stack);
    return shown;
  };
  const threads = capture.threads.filter(({ stacks }) => stacks.some(({ frames }) => frames.length > 0));
  const open = threads.find(({ isCrashed }) => isCrashed) ?? threads[0];
  return {
    heading: capture.format,
    ...(capture.reason === undefined ? {} : { reason: capture.reason }),
    parts: "thread",
    threads: threads.map((thread) => {
      const samples = thread.stacks.reduce((sum, stack) => sum + (stack.samples ?? 0), 0);
      return {
        name: thread.name,
        note: note(thread, samples),
        isCrashed: thread.isCrashed,
        isOpen: thread === open,
        stacks: thread.stacks.map((stack) => showStack(stack, samples)),
      };
    }),
    outcomes,
    copied: "Copy what is open",
    request: (stacks) =>
      captureRequest(
        capture,
        stacks.map((stack) => captured.get(stack)?.frames ?? []),
      ),
    answer(stacks) {
      const used = new Set(
        stacks
          .flatMap((stack) => captured.get(stack)?.frames ?? [])
          .map(({ moduleIndex }) => capture.memoryMap[moduleIndex]?.join("/")),
      );
      const found = outcomes.flatMap((outcome) => {
        const key = `${outcome.debugFilename}/${outcome.debugId}`;
        return used.has(key) ? [[key, verdict(outcome) === "found"]] : [];
      });
      return {
        results: [{ stacks: stacks.map(({ frames }) => frames), found_modules: Object.fromEntries(found) }],
      };
    },
  };
}

/**
 * @param {Thread} thread
 * @param {number} samples
 * @returns {string}
 */
function note({ stacks: [first, ...others] }, samples) {
  if (samples > 0) return `${count(samples, "sample")} in ${count(others.length + 1, "stack")}`;
  return count(first?.frames.length ?? 0, "frame");
}

/**
 * @param {Capture} capture
 * @param {(readonly Frame[])[]} stacks
 * @returns {string}
 */
function captureRequest(capture, stacks) {
  const memoryMap = new MemoryMap();
  const renumbered = stacks.map((frames) =>
    frames.map(({ moduleIndex, moduleOffset }) => {
      const module = capture.memoryMap[moduleIndex];
      const isAsked = module !== undefined && isAskable(...module);
      return { moduleIndex: isAsked ? memoryMap.indexOf(...module) : -1, moduleOffset };
    }),
  );
  return requestText(memoryMap.modules, renumbered);
}
