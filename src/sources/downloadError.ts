export type DownloadFault = "failed" | "timeout" | "too_large";

interface Details {
  cause?: unknown;
  /** Whether a retry may succeed. */
  isTransient?: boolean;
  /** In milliseconds, as the server asked for. */
  retryAfter?: number;
}

/** A sym file could not be downloaded completely, though it may exist. */
export class DownloadError extends Error {
  override name = "DownloadError";
  readonly fault: DownloadFault;
  readonly isTransient: boolean;
  readonly retryAfter: number | undefined;

  constructor(
    fault: DownloadFault,
    message: string,
    { cause, isTransient = false, retryAfter }: Details = {},
  ) {
    super(message, { cause });
    this.fault = fault;
    this.isTransient = isTransient;
    this.retryAfter = retryAfter;
  }
}
