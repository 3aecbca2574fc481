import { crc32 } from "node:zlib";
import type { ApiRequest } from "../requests/readRequests.ts";
import type { Reply } from "../requests/serviceClient.ts";
import type { Failure } from "./measurements.ts";

/** Tells answers from what is none. To parse one takes longer than to get it, so one that came before is only recognised. */
export class AnswerCheck {
  readonly #good = new Set<string>();

  failure(request: ApiRequest, { status, body }: Reply): Failure | undefined {
    const failure = (kind: string, example: string) => ({ kind, example: `${request.name}: ${example}` });
    if (status !== 200) return failure(`status ${status}`, excerpt(body));
    const key = `${request.version} ${body.length} ${crc32(body)}`;
    if (this.#good.has(key)) return undefined;
    try {
      const answer = JSON.parse(body.toString()) as Record<string, unknown> | null;
      const stacks = request.version === "v4" ? answer?.["symbolicatedStacks"] : answer?.["results"];
      if (!Array.isArray(stacks)) return failure("wrong JSON", excerpt(body));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return failure("no JSON", excerpt(body));
    }
    this.#good.add(key);
    return undefined;
  }
}

const longestExcerpt = 100;

function excerpt(body: Buffer): string {
  return body.toString("utf8", 0, longestExcerpt).replace(/\s+/g, " ");
}
