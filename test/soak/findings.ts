import { median } from "../../bench/measure.ts";
import { folderBytes } from "./modules.ts";
import { quantile, type Sample } from "./sample.ts";
import type { Soak } from "./soak.ts";

/** Minutes after which all must be flat; in a short soak it is a third of the time. */
const longestSettling = 10;
/** What has become larger by more than this part of itself, and by more than chance, has grown. */
const tolerance = 0.05;
/** Fewer samples say nothing. */
const leastSamples = 6;
/** What each thread has open for itself. */
const handlesOfThread = 4;

/** What must stay flat: what it is of a sample, and how much more of it is no growth. */
const quantities = [
  { name: "resident memory", unit: "MB", of: ({ megabytes }: Sample) => megabytes, slack: 20 },
  { name: "file handles", unit: "open", of: ({ handles }: Sample) => handles, slack: 10 },
  { name: "threads", unit: "alive", of: ({ threads }: Sample) => threads, slack: 1 },
];

export interface Halves {
  earlier: Sample[];
  later: Sample[];
}

/** The samples since all has settled, in two halves of time; undefined where they are too few. */
export function halves(samples: Sample[]): Halves | undefined {
  const minutes = samples.at(-1)?.minutes ?? 0;
  const settled = Math.min(longestSettling, minutes / 3);
  const middle = (settled + minutes) / 2;
  const earlier = samples.filter((sample) => sample.minutes > settled && sample.minutes <= middle);
  const later = samples.filter((sample) => sample.minutes > middle);
  return Math.min(earlier.length, later.length) < leastSamples ? undefined : { earlier, later };
}

/** Everything that is wrong, in a sentence each; none where all is well. */
export function findings({ counters, start, samples, rest, crash }: Soak): string[] {
  const found = crash === undefined ? [] : [crash];
  if (counters.wrongResponses > 0)
    found.push(`${counters.wrongResponses} wrong responses, the first: ${counters.wrong[0]}`);
  const most = Math.max(...samples.map(({ folderMegabytes }) => folderMegabytes));
  if (most * 1e6 > folderBytes) found.push(`the folder held ${most} MB, more than it may`);
  const compared = halves(samples);
  if (compared) found.push(...growth(compared));
  if (rest && !isAtRest(start, rest))
    found.push(`file handles are not given back: ${rest.handles} at rest, ${start.handles} at the start`);
  return found;
}

/** Whether all file handles are given back but those of threads, of which there may be more than at the start. */
export function isAtRest(start: Sample, now: Sample): boolean {
  const threads = Math.max(0, now.threads - start.threads);
  return now.handles <= start.handles - start.symcacheHandles + threads * handlesOfThread;
}

function growth({ earlier, later }: Halves): string[] {
  return quantities.flatMap(({ name, unit, of, slack }) => {
    const [before, after] = [earlier.map(of), later.map(of)];
    const more = median(after) - median(before);
    if (more <= slack || more <= tolerance * median(before)) return [];
    if (more <= uncertainty(before) + uncertainty(after)) return [];
    const said = (half: Sample[], values: number[]) =>
      `${Math.round(median(values))} ${unit} until minute ${half.at(-1)?.minutes.toFixed(1)}`;
    return [`${name} grew: in the median ${said(earlier, before)}, ${said(later, after)}`];
  });
}

/**
 * How far off a median may be by chance: McGill, Tukey and Larsen's notch of a box plot, for samples of which two in a row
 * say little more than one.
 */
function uncertainty(values: number[]): number {
  const spread = quantile(values, 0.75) - quantile(values, 0.25);
  return (1.57 * spread) / Math.sqrt(values.length / 2);
}
