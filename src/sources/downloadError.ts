export type DownloadFault = "failed" | "timeout" | "too_large";

interface Details {
  cause?: unknown;
  /** Whether the same may go well a moment later. */
  isTransient?: boolean;
  /** Milliseconds after which the server wants to be asked again. */
  retryAfter?: number;
}

/** A sym file could not be had whole, though it may exist. */
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
