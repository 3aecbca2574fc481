/** Milliseconds after which a disk that gives no answer is not waited for any more. */
const longestWait = 3000;

/** The disk hangs: what it was asked for may still come about. */
export class DiskHangs extends Error {
  override name = "DiskHangs";
  readonly code = "ETIMEDOUT";
  readonly syscall: string;

  constructor(what: string) {
    super(`ETIMEDOUT: the disk gave no answer for ${longestWait / 1000} s, ${what}`);
    this.syscall = what;
  }
}

/** What the disk gives. Throws what it says, or that it hangs; `what` it was asked for, in a word. */
export async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new DiskHangs(what)), longestWait);
  try {
    return await Promise.race([work, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
