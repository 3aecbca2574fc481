import { moduleOutcomes } from "./answer.js";
import { isAskable, requestText } from "./requestText.js";

/**
 * @import { Answer, AnsweredFrame, ModuleOutcome } from "./answer.js"
 * @import { Capture, Frame } from "./capture.js"
 *
 * Sends a body to /symbolicate/v5 with the header Debug, and gives its answer. Throws an Error that says to a person why there
 * is none.
 * @callback Post
 * @param {string} body
 * @returns {Promise<Answer>}
 *
 * @typedef {object} SymbolicatedCapture
 * @property {(frame: Frame, number: number) => AnsweredFrame} frameOf what is known of a frame, the `number`th of its stack
 * @property {ModuleOutcome[]} outcomes of the modules that a frame points into
 *
 * @typedef {object} WantedModule
 * @property {number} moduleIndex
 * @property {string} debugFilename
 * @property {string} debugId
 * @property {(number | bigint)[]} offsets
 */

/** Modules of a request, and offsets of one that has several. */
const mostModules = 10;
const mostOffsets = 10_000;

/**
 * Asks for each offset of a capture once, of ten modules a request, so that one whose symbols have yet to be downloaded doesn't
 * hold up all others. A request that fails costs its own modules alone; all are given up where `post` throws an AbortError.
 * @param {Capture} capture
 * @param {Post} post
 * @param {(done: number, all: number) => void} progress in modules
 * @returns {Promise<SymbolicatedCapture>}
 */
export async function symbolicateCapture(capture, post, progress) {
  /** @type {Map<number, Map<number | bigint, AnsweredFrame | undefined>>} */
  const answered = new Map();
  const wanted = wantedModules(capture);
  const askable = wanted.filter(({ debugFilename, debugId }) => isAskable(debugFilename, debugId));
  const outcomes = wanted.filter((module) => !askable.includes(module)).map(unaskable);
  let done = 0;
  progress(done, askable.length);
  const requests = groups(askable).map(async (group) => {
    const answer = await post(groupRequest(group)).catch(ifRefused);
    if (answer instanceof Error) {
      for (const { debugFilename, debugId } of group)
        outcomes.push({ debugFilename, debugId, status: "failed", reason: answer.message });
    } else {
      outcomes.push(...moduleOutcomes(answer));
      const frames = (answer.results[0]?.stacks[0] ?? []).values();
      for (const { moduleIndex, offsets } of group)
        answered.set(moduleIndex, new Map(offsets.map((offset) => [offset, frames.next().value])));
    }
    progress((done += group.length), askable.length);
  });
  await Promise.all(requests);
  return {
    outcomes,
    frameOf({ moduleIndex, moduleOffset, known, trust }, number) {
      const answer = answered.get(moduleIndex)?.get(moduleOffset);
      const [debugFilename] = capture.memoryMap[moduleIndex] ?? ["<unknown>"];
      const module = capture.moduleNames[moduleIndex] ?? answer?.module ?? debugFilename;
      const bare = answer ?? { module_offset: hex(moduleOffset) };
      const location = answer?.function === undefined ? known : {};
      return { ...bare, module, ...location, frame: number, ...(trust === undefined ? {} : { trust }) };
    },
  };
}

/**
 * @param {unknown} error of a Post
 * @returns {Error}
 */
function ifRefused(error) {
  if (error instanceof Error && error.name !== "AbortError") return error;
  throw error;
}

/**
 * @param {Capture} capture
 * @returns {WantedModule[]} those that a frame points into
 */
function wantedModules({ memoryMap, threads }) {
  /** @type {Map<number, Set<number | bigint>>} */
  const offsets = new Map();
  for (const { stacks } of threads)
    for (const { frames } of stacks)
      for (const { moduleIndex, moduleOffset } of frames) {
        if (moduleIndex < 0) continue;
        const ofModule = offsets.get(moduleIndex) ?? new Set();
        offsets.set(moduleIndex, ofModule.add(moduleOffset));
      }
  return [...offsets].map(([moduleIndex, ofModule]) => {
    const [debugFilename, debugId] = memoryMap[moduleIndex] ?? ["", ""];
    return { moduleIndex, debugFilename, debugId, offsets: [...ofModule] };
  });
}

/**
 * @param {WantedModule} module
 * @returns {ModuleOutcome}
 */
function unaskable({ debugFilename, debugId }) {
  const reason =
    debugId === "" ? "it has no debug id" : "symbol servers have no modules of such a name or id";
  return { debugFilename, debugId, status: "not_found", reason };
}

/**
 * Modules that share a request.
 * @param {WantedModule[]} modules
 * @returns {WantedModule[][]}
 */
function groups(modules) {
  /** @type {WantedModule[][]} */
  const all = [];
  let room = 0;
  for (const module of modules) {
    const last = all.at(-1);
    room -= module.offsets.length;
    if (last && last.length < mostModules && room >= 0) {
      last.push(module);
    } else {
      all.push([module]);
      room = mostOffsets - module.offsets.length;
    }
  }
  return all;
}

/**
 * @param {WantedModule[]} group
 * @returns {string}
 */
function groupRequest(group) {
  const stack = group.flatMap(({ offsets }, moduleIndex) =>
    offsets.map((moduleOffset) => ({ moduleIndex, moduleOffset })),
  );
  return requestText(
    group.map(({ debugFilename, debugId }) => [debugFilename, debugId]),
    [stack],
  );
}

/**
 * As the service writes it.
 * @param {number | bigint} offset
 * @returns {string}
 */
function hex(offset) {
  return offset < 0 ? "-0x1" : `0x${offset.toString(16)}`;
}
