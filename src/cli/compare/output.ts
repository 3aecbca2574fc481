import { counted, whole } from "../numberText.ts";
import type { Counts } from "./counts.ts";
import type { Difference } from "./differences.ts";
import { differenceText } from "./differenceText.ts";

/** A difference, and the name of the request in whose answers it is. */
export interface Found {
  request: string;
  difference: Difference;
}

/** For a person: so many differences, and how many there are of each kind. */
export async function* comparisonText(
  found: AsyncIterable<Found>,
  counts: Counts,
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
  const hidden = counts.differences - shown - repeated;
  if (repeated > 0) yield `${whole(repeated)} more are the same at the same offset\n`;
  if (hidden > 0) yield `${whole(hidden)} more: --limit\n`;
  if (repeated + hidden > 0) yield "\n";
  yield summary(counts);
}

/** The same for frames that point to the same place and of which the same is said. */
function frameKey({ frame, module, moduleOffset, kinds, sides }: Difference): string | undefined {
  if (frame === undefined) return undefined;
  const said = sides.map((side) => side && { ...side, frame: undefined });
  return JSON.stringify([module, moduleOffset, kinds, said]);
}

function summary({ requests, frames, differingFrames, differences, kinds, statuses }: Counts): string {
  const byNumber = Object.entries(kinds).toSorted(([, a], [, b]) => b - a);
  const answers = Object.entries(statuses).map(([status, times]) => `${whole(times)} × ${status}`);
  return [
    `${counted(requests, "request")}, ${answers.join(", ")}; ${counted(frames, "frame")}`,
    differences === 0
      ? "no differences"
      : `${counted(differences, "difference")}, ${whole(differingFrames)} of frames`,
    ...byNumber.map(([kind, times]) => `  ${kind.padEnd(16)}  ${whole(times).padStart(7)}`),
    "",
  ].join("\n");
}

/** For a script: all differences, and how many there are of each kind. */
export async function* comparisonJson(
  found: AsyncIterable<Found>,
  counts: Counts,
  urls: [string, string],
): AsyncIterable<string> {
  yield `{"urls":${JSON.stringify(urls)},"differences":[`;
  let isFirst = true;
  for await (const { request, difference } of found) {
    yield `${isFirst ? "" : ","}\n${JSON.stringify({ request, ...difference })}`;
    isFirst = false;
  }
  const { differences: differenceCount, ...rest } = counts;
  yield `],\n${JSON.stringify({ differenceCount, ...rest }).slice(1)}\n`;
}
