import { withTimeout } from "../async/withTimeout.ts";

/** Milliseconds after which a disk that gives no answer is not waited for any more. */
const longestWait = 5000;

/** The disk hangs: what it was asked for may still come about. */
export class DiskHangs extends Error {
  override name = "DiskHangs";
  readonly code = "ETIMEDOUT";
  readonly syscall: string;

  constructor(what: string, milliseconds: number) {
    super(`ETIMEDOUT: the disk gave no answer for ${milliseconds / 1000} s, ${what}`);
    this.syscall = what;
  }
}

/** What the disk gives. Throws what it says, or a DiskHangs. `what` is what it was asked for, in a word. */
export function inTime<T>(what: string, work: Promise<T>, milliseconds = longestWait): Promise<T> {
  return withTimeout(milliseconds, work, () => new DiskHangs(what, milliseconds));
}
