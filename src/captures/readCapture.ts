import type { Capture } from "./capture.ts";
import { readCrash } from "./crash.ts";
import { readGeckoProfile, type GeckoProfile } from "./geckoProfile.ts";
import { readProcessedProfile, type ProcessedProfile } from "./processedProfile.ts";

/** The input is not a readable profile or crash. The message tells a person what is wrong with it. */
export class UnreadableCapture extends Error {
  override name = "UnreadableCapture";
}

/** The text of a file, gzipped or not. Throws an UnreadableCapture. */
export async function readText(file: Blob): Promise<string> {
  try {
    const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    if (first !== 0x1f || second !== 0x8b) return await file.text();
    return await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).text();
  } catch (error) {
    if (error instanceof DOMException)
      throw new UnreadableCapture("The browser can’t read this. Choose a file, not a folder.", {
        cause: error,
      });
    if (error instanceof TypeError)
      throw new UnreadableCapture("The gzipped file is damaged or cut short. Download or export it again.", {
        cause: error,
      });
    throw error;
  }
}

/** Reads a profile or a crash of any format. Undefined for a request to the API. Throws an UnreadableCapture. */
export function readCapture(text: string): Capture | undefined {
  return captureOf(parseFile(text));
}

/** The same for a file that parseFile() has parsed. */
export function captureOf(value: unknown): Capture | undefined {
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
    if (!(error instanceof SyntaxError)) throw error;
    // The message may quote the first lines of the file.
    const why = error.message.replaceAll(/\s+/g, " ");
    throw new UnreadableCapture(`This is not JSON: ${why}.`, { cause: error });
  }
}

/** Runs a reader, which expects a complete file, and turns its runtime errors into an UnreadableCapture. */
function readWhole<Value>(format: string, read: () => Value): Value {
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
