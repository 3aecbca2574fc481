import { setImmediate } from "node:timers/promises";
import type { Line } from "./splitLines.ts";

/** Lines, and their bytes, that are read and not answered yet. A longer line than that is read alone. */
const mostLines = 256;
export const mostBytesAhead = 8e6;
/** Groups that are worked on at once, and what one may hold: so that all of them together are within those bounds. */
const groups = 4;
const linesOfGroup = mostLines / groups;
const bytesOfGroup = mostBytesAhead / groups;

interface Group<Answer> {
  lines: number;
  bytes: number;
  answer: Promise<{ answer: Answer }>;
}

/**
 * The answers to all lines, in their order, of a group of them at a time. Lines are read ahead while others are worked on;
 * whenever there is a place for a group, it is made of all that have come: the first line doesn't wait for a second, and
 * where lines come fast, many are looked up together. What reading throws is thrown behind the answers to what was read.
 */
export async function* answerAhead<Answer>(
  lines: AsyncIterator<Line>,
  answer: (group: Line[]) => Promise<Answer>,
): AsyncGenerator<Answer> {
  const waiting: Line[] = [];
  const underWay: Group<Answer>[] = [];
  const ahead = { lines: 0, bytes: 0 };
  let reading: Promise<{ read: IteratorResult<Line> } | { failure: unknown }> | undefined;
  let end: { failure?: unknown } | undefined;

  while (!end || ahead.lines > 0) {
    if (!end && ahead.lines < mostLines && ahead.bytes < mostBytesAhead)
      reading ??= lines.next().then((read) => ({ read }), (failure: unknown) => ({ failure })); // prettier-ignore
    // First all lines that are there: whoever takes the answers may be slower than those who make them.
    let next: Awaited<typeof reading> | { answer: Answer } = reading && (await ifReady(reading));
    if (!next)
      while (underWay.length < groups && waiting.length > 0) {
        const group = takeGroup(waiting);
        const answering = answer(group).then((value) => ({ answer: value }));
        // It is waited for only when it is the oldest.
        answering.catch(() => {});
        underWay.push({ lines: group.length, bytes: bytesOf(group), answer: answering });
      }
    const oldest = underWay[0];
    next ??= await Promise.race([reading, oldest?.answer].filter((promise) => promise !== undefined));
    if ("answer" in next) {
      underWay.shift();
      yield next.answer;
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

/** What it resolves to, where that takes no more than what is in memory; else undefined. */
async function ifReady<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  return await Promise.race([promise, setImmediate(undefined)]);
}

/** Takes as many of the first lines as make a group; one that is large, or too long to be looked at, makes one alone. */
function takeGroup(waiting: Line[]): Line[] {
  let bytes = 0;
  let end = 0;
  while (end < Math.min(waiting.length, linesOfGroup)) {
    const line = waiting[end];
    bytes += line?.length ?? Infinity;
    if (end > 0 && bytes > bytesOfGroup) break;
    end++;
  }
  return waiting.splice(0, end);
}

function bytesOf(lines: Line[]): number {
  return lines.reduce((sum, line) => sum + (line?.length ?? 0), 0);
}
