import { withTimeout } from "../async/withTimeout.ts";
import { retryPolicy } from "../config/retryPolicy.ts";

/** The disk doesn't respond. The operation may still complete later. */
export class DiskTimeout extends Error {
  override name = "DiskTimeout";
  readonly code = "ETIMEDOUT";
  readonly syscall: string;

  constructor(operation: string, timeoutMs: number) {
    super(`ETIMEDOUT: the disk did not respond within ${timeoutMs / 1000} s, ${operation}`);
    this.syscall = operation;
  }
}

/** Throws the disk's error, or a DiskTimeout. */
export function withDiskTimeout<T>(
  operation: string,
  work: Promise<T>,
  timeoutMs = retryPolicy.diskTimeoutMs,
): Promise<T> {
  return withTimeout(timeoutMs, work, () => new DiskTimeout(operation, timeoutMs));
}
