import { hex } from "../../src/captures/numberText.ts";
import type { ApiRequest } from "../readRequests.ts";
import type { NoReply, Reply } from "../../src/cli/serviceClient.ts";
import { differenceAt, differences, type Difference, type Fields } from "./differences.ts";

/** Two services' responses to a request. */
export interface Comparison {
  request: ApiRequest;
  /** Such as `200` or `timeout`. */
  statuses: [string, string];
  /** In the first response. */
  frames: number;
  differences: Difference[];
}

const maxExcerptLength = 80;

/** A missing response counts as a difference. */
export function compareReplies(
  request: ApiRequest,
  left: Reply | NoReply,
  right: Reply | NoReply,
): Comparison {
  const statuses: Comparison["statuses"] = [statusOf(left), statusOf(right)];
  const comparison = { request, statuses, frames: 0 };
  if (!("body" in left && "body" in right) || left.status !== right.status)
    return {
      ...comparison,
      differences: [{ kinds: ["status"], sides: [statusSide(left), statusSide(right)] }],
    };
  const [response, otherResponse] = [parseResponse(left), parseResponse(right)];
  if (response === undefined || otherResponse === undefined) {
    const isSame = left.status !== 200 && left.body.equals(right.body);
    const sides: Difference["sides"] = [{ answer: excerpt(left) }, { answer: excerpt(right) }];
    return { ...comparison, differences: isSame ? [] : [{ kinds: ["answer"], sides }] };
  }
  if (left.status !== 200)
    return { ...comparison, differences: [...differenceAt({}, { ...response }, { ...otherResponse })] };
  const [whole, otherWhole] =
    request.version === "v4"
      ? [asV5(request, response), asV5(request, otherResponse)]
      : [response, otherResponse];
  return { ...comparison, frames: frameCount(whole), differences: [...differences(whole, otherWhole)] };
}

function statusOf(reply: Reply | NoReply): string {
  return "body" in reply ? String(reply.status) : reply.kind;
}

function statusSide(reply: Reply | NoReply): Fields {
  if (!("body" in reply)) return { status: reply.kind, reason: reply.message };
  const title = parseResponse(reply)?.["title"];
  return { status: reply.status, ...(title === undefined ? {} : { title }) };
}

/** Undefined if it is not a JSON object. */
function parseResponse({ body }: Reply): Fields | undefined {
  try {
    const response: unknown = JSON.parse(body.toString());
    return typeof response === "object" && response !== null ? (response as Fields) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function excerpt({ body }: Reply): string {
  return body.toString("utf8", 0, maxExcerptLength);
}

function frameCount(response: unknown): number {
  const { results = [] } = response as { results?: { stacks?: unknown[][] }[] };
  return results.flatMap(({ stacks = [] }) => stacks).reduce((sum, stack) => sum + stack.length, 0);
}

interface V4Response {
  symbolicatedStacks?: string[][];
  knownModules?: unknown[];
}

/**
 * Converts a v4 response to the form of v5. `function` is a line such as `func (in module)`; modules and offsets come from the
 * request. A repeated module has its index in the key of found_modules.
 */
function asV5({ body }: ApiRequest, response: Fields): Fields {
  const { memoryMap, stacks } = JSON.parse(body) as {
    memoryMap: [string, string][];
    stacks: [number, number][][];
  };
  const { symbolicatedStacks = [], knownModules = [], ...rest } = response as V4Response;
  const keys = memoryMap.map(([debugFilename, debugId]) => `${debugFilename}/${debugId}`);
  const found = knownModules.map((isKnown, index) => {
    const key = keys[index] ?? "";
    return [keys.indexOf(key) === index ? key : `${key} (module ${index})`, isKnown];
  });
  const frames = symbolicatedStacks.map((lines, stack) =>
    lines.map((line, frame) => {
      const [moduleIndex = -1, moduleOffset = -1] = stacks[stack]?.[frame] ?? [];
      const module = memoryMap[moduleIndex]?.[0] || "<unknown>";
      return { module, module_offset: hex(moduleOffset), function: line };
    }),
  );
  return { ...rest, results: [{ stacks: frames, found_modules: Object.fromEntries(found) }] };
}
