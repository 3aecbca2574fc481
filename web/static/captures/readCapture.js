import { readCrash } from "./crash.js";
import { readGeckoProfile } from "./geckoProfile.js";
import { readProcessedProfile } from "./processedProfile.js";

/**
 * @import { Capture } from "./capture.js"
 * @import { GeckoProfile } from "./geckoProfile.js"
 * @import { ProcessedProfile } from "./processedProfile.js"
 */

/** What was given is nothing that can be read. The message says to a person what it lacks. */
export class UnreadableCapture extends Error {
  /** @override */
  name = "UnreadableCapture";
}

/**
 * The text of a file, gzipped or not. Throws an UnreadableCapture.
 * @param {Blob} file
 * @returns {Promise<string>}
 */
export async function readText(file) {
  try {
    const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    if (first !== 0x1f || second !== 0x8b) return await file.text();
    return await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  } catch (error) {
    if (error instanceof DOMException)
      throw new UnreadableCapture("This can’t be read. A folder is no file.", { cause: error });
    if (error instanceof TypeError)
      throw new UnreadableCapture("The file is gzipped, but damaged or cut short.", { cause: error });
    throw error;
  }
}

/**
 * A profile or a crash, of whichever format; undefined for a request of the API. Throws an UnreadableCapture.
 * @param {string} text
 * @returns {Capture | undefined}
 */
export function readCapture(text) {
  const value = parse(text);
  if (typeof value === "object" && value !== null) {
    if ("jobs" in value || "memoryMap" in value || "stacks" in value) return undefined;
    const capture = readWhole(() => readProfile(value) ?? readCrash(value));
    if (capture) return capture;
  }
  throw new UnreadableCapture(
    "This is JSON, but no request, Firefox profile, crash ping, processed crash or minidump-stackwalk output.",
  );
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UnreadableCapture(`This is not JSON: ${error.message}.`, { cause: error });
  }
}

/**
 * @param {object} value
 * @returns {Capture | undefined}
 */
function readProfile(value) {
  if (!("meta" in value && "threads" in value && Array.isArray(value.threads))) return undefined;
  const isProcessed = "shared" in value || value.threads.some((thread) => "funcTable" in Object(thread));
  return isProcessed
    ? readProcessedProfile(/** @type {ProcessedProfile} */ (value))
    : readGeckoProfile(/** @type {GeckoProfile} */ (/** @type {unknown} */ (value)));
}

/**
 * The files of a format have what their readers take, or something is wrong with the file.
 * @template Value
 * @param {() => Value} read
 * @returns {Value}
 */
function readWhole(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError))
      throw error;
    throw new UnreadableCapture(`The file is incomplete or damaged: ${error.message}.`, { cause: error });
  }
}
