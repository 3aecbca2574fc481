/** @import { Frame, Module } from "./capture.js" */

/** What the service takes for a debug filename and a debug id. */
const debugFilenamePattern = /^(?!\.{1,2}$)[[\]A-Za-z0-9_.+{}@<> ~-]{1,255}$/;
const debugIdPattern = /^[0-9A-Fa-f]{1,64}$/;

/**
 * Whether the service can be asked for a module at all: a request that names another is refused as a whole.
 * @param {string} debugFilename
 * @param {string} debugId
 * @returns {boolean}
 */
export function isAskable(debugFilename, debugId) {
  return debugFilenamePattern.test(debugFilename) && debugIdPattern.test(debugId);
}

/**
 * A request of one job. Offsets past 2^53, which JSON.stringify can't write, are exact.
 * @param {Module[]} memoryMap
 * @param {readonly Pick<Frame, "moduleIndex" | "moduleOffset">[][]} stacks
 * @returns {string}
 */
export function requestText(memoryMap, stacks) {
  const stackTexts = stacks.map(
    (stack) =>
      `[${stack.map(({ moduleIndex, moduleOffset }) => `[${moduleIndex},${moduleOffset}]`).join(",")}]`,
  );
  return `{"memoryMap":${JSON.stringify(memoryMap)},"stacks":[${stackTexts.join(",")}]}`;
}
