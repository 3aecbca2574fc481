import { hex } from "../numberText.ts";
import type { ApiRequest } from "../requests/readRequests.ts";
import type { NoReply, Reply } from "../requests/serviceClient.ts";
import { differenceAt, differences, type Difference, type Fields } from "./differences.ts";

/** What two services gave for one request. */
export interface Compared {
  request: ApiRequest;
  /** `200`, `timeout`: of each. */
  statuses: [string, string];
  /** How many frames the first one answered with. */
  frames: number;
  differences: Difference[];
}

const longestExcerpt = 80;

/** Without an answer of both there is nothing to compare: that is a difference, too. */
export function compareReplies(request: ApiRequest, left: Reply | NoReply, right: Reply | NoReply): Compared {
  const statuses: Compared["statuses"] = [statusOf(left), statusOf(right)];
  const compared = { request, statuses, frames: 0 };
  if (!("body" in left && "body" in right) || left.status !== right.status)
    return {
      ...compared,
      differences: [{ kinds: ["status"], sides: [statusSide(left), statusSide(right)] }],
    };
  const [answer, otherAnswer] = [parseAnswer(left), parseAnswer(right)];
  if (answer === undefined || otherAnswer === undefined) {
    const isSame = left.status !== 200 && left.body.equals(right.body);
    const sides: Difference["sides"] = [{ answer: excerpt(left) }, { answer: excerpt(right) }];
    return { ...compared, differences: isSame ? [] : [{ kinds: ["answer"], sides }] };
  }
  if (left.status !== 200)
    return { ...compared, differences: [...differenceAt({}, { ...answer }, { ...otherAnswer })] };
  const [whole, otherWhole] =
    request.version === "v4" ? [asV5(request, answer), asV5(request, otherAnswer)] : [answer, otherAnswer];
  return { ...compared, frames: frameCount(whole), differences: [...differences(whole, otherWhole)] };
}

function statusOf(reply: Reply | NoReply): string {
  return "body" in reply ? String(reply.status) : reply.kind;
}

function statusSide(reply: Reply | NoReply): Fields {
  if (!("body" in reply)) return { status: reply.kind, reason: reply.message };
  const title = parseAnswer(reply)?.["title"];
  return { status: reply.status, ...(title === undefined ? {} : { title }) };
}

/** Undefined where it is no JSON object. */
function parseAnswer({ body }: Reply): Fields | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString());
    return typeof answer === "object" && answer !== null ? (answer as Fields) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function excerpt({ body }: Reply): string {
  return body.toString("utf8", 0, longestExcerpt);
}

function frameCount(answer: unknown): number {
  const { results = [] } = answer as { results?: { stacks?: unknown[][] }[] };
  return results.flatMap(({ stacks = [] }) => stacks).reduce((sum, stack) => sum + stack.length, 0);
}

interface AnswerV4 {
  symbolicatedStacks?: string[][];
  knownModules?: unknown[];
}

/**
 * An answer of v4 in the form of v5's. Its frames are lines such as `func (in module)`, `function` here; modules and offsets
 * are the request's, and so are the keys of found_modules, where a module that stands there twice is told apart by its number.
 */
function asV5({ body }: ApiRequest, answer: Fields): Fields {
  const { memoryMap, stacks } = JSON.parse(body) as {
    memoryMap: [string, string][];
    stacks: [number, number][][];
  };
  const { symbolicatedStacks = [], knownModules = [], ...rest } = answer as AnswerV4;
  const keys = memoryMap.map(([debugFilename, debugId]) => `${debugFilename}/${debugId}`);
  const found = knownModules.map((isKnown, number) => {
    const key = keys[number] ?? "";
    return [keys.indexOf(key) === number ? key : `${key} (module ${number})`, isKnown];
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
