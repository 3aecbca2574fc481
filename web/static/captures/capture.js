/**
 * What a profile or a crash says, in the words of the API. These modules run in the browser and in Node alike.
 *
 * @typedef {[debugFilename: string, debugId: string]} Module
 *
 * @typedef {object} Location
 * @property {string} [function]
 * @property {string} [file]
 * @property {number} [line]
 *
 * @typedef {object} Frame
 * @property {number} moduleIndex position in the memory map, −1 for none
 * @property {number | bigint} moduleOffset relative to the module, or an address where there is none; −1 where there is neither,
 *   as in JavaScript
 * @property {Location & {inlines?: Location[]}} known what the file itself says of it; inlines innermost first
 * @property {string} [trust] how the stack walker came by it: `context`, `cfi`, `scan`, …
 *
 * @typedef {object} Stack
 * @property {readonly Frame[]} frames innermost first
 * @property {number} [samples] how often a profiler saw it
 *
 * @typedef {object} Thread
 * @property {string} name
 * @property {boolean} isCrashed
 * @property {Stack[]} stacks those of most samples first
 *
 * @typedef {object} Capture
 * @property {string} format as a person calls it: `Firefox profile`, `Crash ping`
 * @property {string} [reason] why it crashed
 * @property {Module[]} memoryMap
 * @property {(string | undefined)[]} moduleNames what the file calls each of them, `xul.dll` for `xul.pdb`
 * @property {Thread[]} threads
 */

/** Collects modules, each once. */
export class MemoryMap {
  /** @type {Map<string, number>} */
  #indexes = new Map();
  /** @type {Module[]} */
  modules = [];
  /** @type {(string | undefined)[]} */
  #names = [];

  /**
   * The position of a module, which is added where it is new.
   * @param {string} debugFilename
   * @param {string} debugId
   * @param {string} [name]
   * @returns {number}
   */
  indexOf(debugFilename, debugId, name) {
    const key = `${debugFilename}/${debugId}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.modules.length);
    this.#names.push(name);
    return this.modules.push([debugFilename, debugId]) - 1;
  }

  /** What a capture has of it. */
  get parts() {
    return { memoryMap: this.modules, moduleNames: this.#names };
  }
}

/**
 * A number as it is where that is exact.
 * @param {bigint} value
 * @returns {number | bigint}
 */
export function plain(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * Throws a TypeError that names the first of its parts that an object of a file lacks.
 * @param {string} whose
 * @param {object | null | undefined} whole
 * @param {string[]} parts
 */
export function need(whose, whole, parts) {
  const present = new Map(Object.entries(Object(whole)));
  for (const part of parts) if (present.get(part) == null) throw new TypeError(`${whose} has no ${part}`);
}
