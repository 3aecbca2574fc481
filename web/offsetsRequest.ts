import { isAskable, requestText } from "./captures/requestText.js";

/** What was typed can't be asked for. The message says why. */
export class TypingError extends Error {
  /** @override */
  name = "TypingError";

  /**
   * @param {string} field id of the input that has it
   * @param {string} message
   */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

const largestOffset = 2n ** 64n - 1n;

/**
 * A request for offsets of one module, as they were typed: hex with 0x, or decimal, with commas or spaces between them. Throws
 * a TypingError.
 * @param {string} debugFilename
 * @param {string} debugId
 * @param {string} offsets
 * @returns {string}
 */
export function offsetsRequest(debugFilename, debugId, offsets) {
  if (!isAskable(debugFilename, "0"))
    throw new TypingError(
      "debug-filename",
      "Give the module’s debug filename, such as xul.pdb or libxul.so.",
    );
  if (!isAskable(debugFilename, debugId))
    throw new TypingError("debug-id", "Give the module’s debug id: up to 64 hex digits, without dashes.");
  const words = offsets.split(/[\s,;]+/).filter(Boolean);
  if (words.length === 0) throw new TypingError("offsets", "Give one offset or more, such as 0xb2e3f7.");
  const stack = words.map((word) => {
    if (!/^(?:0x[0-9a-f]+|[0-9]+)$/i.test(word) || BigInt(word) > largestOffset)
      throw new TypingError(
        "offsets",
        `“${word}” is no offset. Write 0x before hex; the largest has 64 bits.`,
      );
    return { moduleIndex: 0, moduleOffset: BigInt(word) };
  });
  return requestText([[debugFilename, debugId]], [stack]);
}
