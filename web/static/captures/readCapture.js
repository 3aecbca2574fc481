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
  return captureOf(parseFile(text));
}

/**
 * The same of what parseFile() gave.
 * @param {unknown} value
 * @returns {Capture | undefined}
 */
export function captureOf(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UnreadableCapture("This is JSON, but no object, as requests, profiles and crashes are.");
  if ("jobs" in value || "memoryMap" in value || "stacks" in value) return undefined;
  if ("meta" in value && ("threads" in value || "libs" in value))
    return isProcessed(value)
      ? readWhole("Firefox profile", () =>
          readProcessedProfile(/** @type {ProcessedProfile} */ (/** @type {unknown} */ (value))),
        )
      : readWhole("Gecko profile", () =>
          readGeckoProfile(/** @type {GeckoProfile} */ (/** @type {unknown} */ (value))),
        );
  const kind = crashKind(value);
  const capture = readWhole("crash", () => readCrash(value));
  if (capture) return capture;
  if (kind !== undefined)
    throw new UnreadableCapture(`This looks like ${kind}, but has no stack traces with modules and threads.`);
  const keys = Object.keys(value).slice(0, 5).join(", ");
  throw new UnreadableCapture(
    `This is JSON, but no request, Firefox profile, crash ping, processed crash or minidump-stackwalk output: it has ${keys || "nothing"}.`,
  );
}

/**
 * @param {object} profile
 * @returns {boolean}
 */
function isProcessed(profile) {
  if ("shared" in profile) return true;
  const threads = "threads" in profile && Array.isArray(profile.threads) ? profile.threads : [];
  return threads.some((thread) => "funcTable" in Object(thread) || "stringArray" in Object(thread));
}

/**
 * What an object is that has some of a crash's parts.
 * @param {object} value
 * @returns {string | undefined}
 */
function crashKind(value) {
  if ("json_dump" in value) return "a processed crash";
  if ("crash_info" in value || "crashing_thread" in value) return "output of minidump-stackwalk";
  return ["payload", "metrics", "stackTraces", "stack_traces"].some((key) => key in value)
    ? "a crash ping"
    : undefined;
}

/**
 * Throws an UnreadableCapture for what is not JSON.
 * @param {string} text
 * @returns {unknown}
 */
export function parseFile(text) {
  if (text.trim() === "") throw new UnreadableCapture("This is empty.");
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // It may quote the file's first lines.
    const why = error.message.replaceAll(/\s+/g, " ");
    throw new UnreadableCapture(`This is not JSON: ${why}.`, { cause: error });
  }
}

/**
 * The files of a format have what their readers take, or something is wrong with the file.
 * @template Value
 * @param {string} format
 * @param {() => Value} read
 * @returns {Value}
 */
function readWhole(format, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError))
      throw error;
    throw new UnreadableCapture(`This ${format} is incomplete or damaged: ${error.message}.`, {
      cause: error,
    });
  }
}
