import { setImmediate } from "node:timers/promises";
import type { Line } from "./readLines.ts";

/** Limits of what is read before it is responded to. A longer line is read alone. */
const maxLines = 256;
const maxBytesAhead = 8e6;
/** Groups in progress at once; together they stay within the limits. */
const maxGroups = 4;
const maxGroupLines = maxLines / maxGroups;
const maxGroupBytes = maxBytesAhead / maxGroups;

interface Group<Result> {
  lines: number;
  bytes: number;
  result: Promise<{ result: Result }>;
}

interface Options<Result> {
  work: (group: Line[]) => Promise<Result>;
  /** Whether there is memory to read a line before the one before it is responded to. */
  mayReadAhead: () => boolean;
  /** Settles as the promise does: nothing is to be done until the client sends a line. */
  waitForClient: <T>(promise: Promise<T>) => Promise<T>;
}

/**
 * Calls `work` for groups of lines, a few at a time, and yields the results in order. A group consists of all lines that are
 * there when another group may start: the first line does not wait for a second one, and lines that arrive fast are looked up
 * together. If reading fails, throws that error after the results for the lines before it.
 */
export async function* mapAhead<Result>(
  lines: AsyncIterator<Line>,
  { work, mayReadAhead, waitForClient }: Options<Result>,
): AsyncGenerator<Result> {
  const waiting: Line[] = [];
  const inProgress: Group<Result>[] = [];
  const ahead = { lines: 0, bytes: 0 };
  let reading: Promise<{ read: IteratorResult<Line> } | { failure: unknown }> | undefined;
  let end: { failure?: unknown } | undefined;

  while (!end || ahead.lines > 0) {
    const mayRead =
      ahead.lines === 0 || (ahead.lines < maxLines && ahead.bytes < maxBytesAhead && mayReadAhead());
    if (!end && mayRead)
      reading ??= lines.next().then((read) => ({ read }), (failure: unknown) => ({ failure })); // prettier-ignore
    // Read all lines that are there before groups are formed and results are yielded.
    let next: Awaited<typeof reading> | { result: Result } = reading && (await ifReady(reading));
    if (!next)
      while (inProgress.length < maxGroups && waiting.length > 0) {
        const group = takeGroup(waiting);
        const result = work(group).then((value) => ({ result: value }));
        // Awaited only once it is the oldest.
        result.catch(() => {});
        inProgress.push({ lines: group.length, bytes: bytesOf(group), result });
      }
    const oldest = inProgress[0];
    if (!next && oldest) next = await Promise.race([oldest.result, ...(reading ? [reading] : [])]);
    else if (!next && reading) next = await waitForClient(reading);
    if (!next) continue;
    if ("result" in next) {
      inProgress.shift();
      yield next.result;
      ahead.lines -= oldest?.lines ?? 0;
      ahead.bytes -= oldest?.bytes ?? 0;
    } else {
      reading = undefined;
      if ("failure" in next) end = next;
      else if (next.read.done) end = {};
      else {
        waiting.push(next.read.value);
        ahead.lines++;
        ahead.bytes += next.read.value?.length ?? 0;
      }
    }
  }
  if ("failure" in end) throw end.failure;
}

/** Resolves to undefined if the promise needs more than data that is in memory already. */
async function ifReady<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  return await Promise.race([promise, setImmediate(undefined)]);
}

/** Removes the first lines, up to the limits of a group. A large line, or one that is too long to be parsed, is a group of its own. */
function takeGroup(waiting: Line[]): Line[] {
  let bytes = 0;
  let end = 0;
  while (end < Math.min(waiting.length, maxGroupLines)) {
    const line = waiting[end];
    bytes += line?.length ?? Infinity;
    if (end > 0 && bytes > maxGroupBytes) break;
    end++;
  }
  return waiting.splice(0, end);
}

export function bytesOf(lines: Line[]): number {
  return lines.reduce((sum, line) => sum + (line?.length ?? 0), 0);
}
