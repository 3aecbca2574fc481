import type { CaptureOfAnySize } from "../../captures/capture.ts";
import { captureOf, parseBytes } from "../../captures/readCapture.ts";
import { UnreadableCapture } from "../../captures/unreadableCapture.ts";
import type { ApiVersion } from "../../codec/parseRequest.ts";
import { CommandError, systemCode } from "../commandError.ts";

/** The contents of a file: a request to the API, unchanged, or a profile or crash. */
export type Document =
  | { kind: "request"; version: ApiVersion; body: string }
  | { kind: "capture"; file: object; capture: CaptureOfAnySize };

/** Files that other commands or tools read, by their first bytes. */
const otherFormats = [
  ["MDMP", "it is a minidump: run minidump-stackwalk --json on it first"],
  ["MODULE ", "it is a sym file: see tseliot convert"],
  ["PK\u0003\u0004", "it is a zip file, which can't be read from standard input: name the file"],
  ["SYMC", "it is a symcache: see tseliot inspect"],
] as const;

/** `name` is for messages. Throws a CommandError that says what is wrong with the file. */
export function readDocument(name: string, bytes: Buffer): Document {
  const unreadable = (why: string, cause?: unknown) =>
    new CommandError("usage", `can't symbolicate ${name}: ${why}`, { cause });
  for (const [start, why] of otherFormats)
    if (bytes.toString("latin1", 0, start.length) === start) throw unreadable(why);
  try {
    const file = parseBytes(bytes);
    const capture = captureOf(file);
    if (capture) return { kind: "capture", file: file as object, capture };
    const { version } = file as { version?: unknown };
    return { kind: "request", version: version === 4 ? "v4" : "v5", body: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (systemCode(error) === "ERR_STRING_TOO_LONG" || error instanceof RangeError)
      throw unreadable("it is too large", error);
    throw explained(name, error);
  }
}

/** A large profile is read while it is symbolicated and written, so that it may turn out to be damaged then. */
export function explained(name: string, error: unknown): unknown {
  if (!(error instanceof UnreadableCapture)) return error;
  const why = error.message.replace(/^T(.*)\.$/, "t$1");
  return new CommandError("usage", `can't symbolicate ${name}: ${why}`, { cause: error });
}
