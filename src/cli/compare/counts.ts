import type { Compared } from "./compareReplies.ts";

/** What a comparison came to. */
export class Counts {
  requests = 0;
  frames = 0;
  /** Frames of which something differs. */
  differingFrames = 0;
  differences = 0;
  /** Differences by kind: one may be of several. */
  readonly kinds: Record<string, number> = {};
  /** Requests by what both services answered: `200`, `200/500` where they differ. */
  readonly statuses: Record<string, number> = {};

  add({ statuses: [left, right], frames, differences }: Compared): void {
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
