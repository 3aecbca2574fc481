import type { Capture, CaptureOfAnySize } from "./capture.ts";
import { readCrash } from "./crash.ts";
import { readGeckoProfile, type GeckoProfile } from "./geckoProfile.ts";
import { parseJson } from "./largeJson.ts";
import { readProcessedProfile, type ProcessedProfile } from "./processedProfile.ts";
import { notJson, readWhole, UnreadableCapture } from "./unreadableCapture.ts";

/** Reads a profile or a crash of any format. Undefined for a request to the API. Throws an UnreadableCapture. */
export function readCapture(text: string): Capture | undefined {
  const capture = captureOf(parseFile(text));
  return capture && { ...capture, threads: [...capture.threads] };
}

/** The same for a file that has been parsed. */
export function captureOf(value: unknown): CaptureOfAnySize | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UnreadableCapture("This JSON is not an object, as requests, profiles and crashes are.");
  if ("jobs" in value || "memoryMap" in value || "stacks" in value) return undefined;
  if ("meta" in value && ("threads" in value || "libs" in value))
    return isProcessed(value)
      ? readWhole("Firefox profile", () => readProcessedProfile(value as object as ProcessedProfile))
      : readWhole("Gecko profile", () => readGeckoProfile(value as object as GeckoProfile));
  const capture = readWhole("crash", () => readCrash(value));
  if (capture) return capture;
  const kind = crashKind(value);
  if (kind !== undefined)
    throw new UnreadableCapture(`This looks like ${kind}, but has no stack traces with modules and threads.`);
  const keys = Object.keys(value).slice(0, 5).join(", ");
  throw new UnreadableCapture(
    `This JSON is not a request, Firefox profile, crash ping, processed crash or minidump-stackwalk output: ${keys ? `its keys are ${keys}` : "it is empty"}.`,
  );
}

function isProcessed(profile: object): boolean {
  if ("shared" in profile) return true;
  if ("meta" in profile && "preprocessedProfileVersion" in Object(profile.meta)) return true;
  const threads: unknown[] = "threads" in profile && Array.isArray(profile.threads) ? profile.threads : [];
  return threads.some((thread) => "funcTable" in Object(thread) || "stringArray" in Object(thread));
}

/** The kind of crash that an object without stack traces seems to be. */
function crashKind(value: object): string | undefined {
  if ("json_dump" in value) return "a processed crash";
  if ("crash_info" in value || "crashing_thread" in value) return "output of minidump-stackwalk";
  const isPing = ["payload", "metrics", "stackTraces", "stack_traces", "crash_stack_traces"].some(
    (key) => key in value,
  );
  return isPing ? "a crash ping" : undefined;
}

/** Parses JSON. Throws an UnreadableCapture. */
export function parseFile(text: string): unknown {
  if (text.trim() === "") throw new UnreadableCapture("This is empty.");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? notJson(error) : error;
  }
}

/** The same for UTF-8. The long lists of a large profile are read when they are iterated. */
export function parseBytes(bytes: Uint8Array): unknown {
  const file = parseJson(bytes);
  const isProfile = typeof file === "object" && file !== null && "meta" in file;
  return isProfile ? file : parseJson(bytes, Infinity);
}
