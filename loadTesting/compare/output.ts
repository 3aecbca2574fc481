import { counted, whole } from "../../src/captures/numberText.ts";
import type { Comparison } from "./compareReplies.ts";
import type { Difference } from "./differences.ts";
import { differenceText } from "./differenceText.ts";

/** A difference, and the name of its request. */
export interface Found {
  request: string;
  difference: Difference;
}

export class Totals {
  requests = 0;
  frames = 0;
  differingFrames = 0;
  differences = 0;
  /** Differences by kind; one may have several. */
  readonly kinds: Record<string, number> = {};
  /** Requests by status: `200`, or `200/500` if the services differ. */
  readonly statuses: Record<string, number> = {};

  add({ statuses: [left, right], frames, differences }: Comparison): void {
    this.requests++;
    this.frames += frames;
    increment(this.statuses, left === right ? left : `${left}/${right}`);
    for (const { frame, kinds } of differences) {
      this.differences++;
      if (frame !== undefined) this.differingFrames++;
      for (const kind of kinds) increment(this.kinds, kind);
    }
  }
}

function increment(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** For people: up to `limit` distinct differences, then the totals. */
export async function* comparisonText(
  found: AsyncIterable<Found>,
  totals: Totals,
  [left, right]: [string, string],
  limit: number,
): AsyncIterable<string> {
  let shown = 0;
  let repeated = 0;
  const seen = new Set<string>();
  for await (const { request, difference } of found) {
    const key = frameKey(difference);
    if (key !== undefined && seen.has(key)) repeated++;
    else if (shown < limit) {
      if (key !== undefined) seen.add(key);
      if (shown++ === 0) yield `- ${left}\n+ ${right}\n\n`;
      yield `${differenceText(request, difference)}\n\n`;
    }
  }
  const hidden = totals.differences - shown - repeated;
  if (repeated > 0) yield `${whole(repeated)} more with the same offset and difference\n`;
  if (hidden > 0) yield `${whole(hidden)} more: --limit\n`;
  if (repeated + hidden > 0) yield "\n";
  yield totalsText(totals);
}

/** Equal for frames with the same module offset and the same difference. */
function frameKey({ frame, module, moduleOffset, kinds, sides }: Difference): string | undefined {
  if (frame === undefined) return undefined;
  const fields = sides.map((side) => side && { ...side, frame: undefined });
  return JSON.stringify([module, moduleOffset, kinds, fields]);
}

function totalsText({ requests, frames, differingFrames, differences, kinds, statuses }: Totals): string {
  const byCount = Object.entries(kinds).toSorted(([, a], [, b]) => b - a);
  const responses = Object.entries(statuses).map(([status, count]) => `${whole(count)} × ${status}`);
  return [
    `${counted(requests, "request")}, ${responses.join(", ")}; ${counted(frames, "frame")}`,
    differences === 0
      ? "no differences"
      : `${counted(differences, "difference")}, ${whole(differingFrames)} of frames`,
    ...byCount.map(([kind, count]) => `  ${kind.padEnd(16)}  ${whole(count).padStart(7)}`),
    "",
  ].join("\n");
}

/** For scripts: all differences, then the totals. */
export async function* comparisonJson(
  found: AsyncIterable<Found>,
  totals: Totals,
  urls: [string, string],
): AsyncIterable<string> {
  yield `{"urls":${JSON.stringify(urls)},"differences":[`;
  let isFirst = true;
  for await (const { request, difference } of found) {
    yield `${isFirst ? "" : ","}\n${JSON.stringify({ request, ...difference })}`;
    isFirst = false;
  }
  const { differences: differenceCount, ...rest } = totals;
  yield `],\n${JSON.stringify({ differenceCount, ...rest }).slice(1)}\n`;
}
