import { JsonBytes } from "../../codec/jsonBytes.ts";
import { parseRequest, type ApiVersion } from "../../codec/parseRequest.ts";
import { renderV4 } from "../../codec/renderV4.ts";
import { renderV5 } from "../../codec/renderV5.ts";
import { ResultTooLarge } from "../../symbolication/frames.ts";
import { symbolicate } from "../../symbolication/symbolicate.ts";
import type { Resolver } from "../../modules/resolver.ts";
import { CommandError } from "../commandError.ts";

/** The service's response to a request body, without HTTP. Throws a CommandError. */
export async function symbolicateRequest(
  version: ApiVersion,
  body: string,
  resolver: Pick<Resolver, "lookUp">,
): Promise<unknown> {
  const start = performance.now();
  const parsed = parseRequest(Buffer.from(body), version);
  if ("error" in parsed) throw new CommandError("usage", `invalid request: ${parsed.error.title}`);
  try {
    const symbolicated = await symbolicate(parsed.jobs, resolver, { maxBytes: Infinity });
    const json = new JsonBytes(Infinity);
    const timeMs = performance.now() - start;
    const slices = version === "v4" ? renderV4(symbolicated, json) : renderV5(symbolicated, json, timeMs);
    for (const _ of slices) continue;
    return JSON.parse(Buffer.concat(json.end()).toString());
  } catch (error) {
    if (!(error instanceof ResultTooLarge)) throw error;
    throw new CommandError("failed", "the response is too large: these offsets have too many inlined calls", {
      cause: error,
    });
  }
}
