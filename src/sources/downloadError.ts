import { errors } from "undici";

export type DownloadFault = "failed" | "timeout" | "too_large";

interface Details {
  cause?: unknown;
  /** Whether a retry may succeed. */
  isTransient?: boolean;
  /** Whether the source had begun to send the sym file. */
  isOfBody?: boolean;
  /** In milliseconds, as the server asked for. */
  retryAfter?: number;
}

/** A sym file could not be downloaded completely, though it may exist. */
export class DownloadError extends Error {
  override name = "DownloadError";
  readonly fault: DownloadFault;
  readonly isTransient: boolean;
  /** Says something about this sym file rather than about the source. */
  readonly isOfBody: boolean;
  readonly retryAfter: number | undefined;

  constructor(
    fault: DownloadFault,
    message: string,
    { cause, isTransient = false, isOfBody = false, retryAfter }: Details = {},
  ) {
    super(message, { cause });
    this.fault = fault;
    this.isTransient = isTransient;
    this.isOfBody = isOfBody;
    this.retryAfter = retryAfter;
  }
}

/** An error of undici, while it was getting `what`. */
export function networkError(what: string, error: unknown, details: Details = {}): DownloadError {
  // undici's timeouts for connecting, headers and body, and the deadline's AbortSignal.
  const isTimeout =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === "TimeoutError");
  const reason = error instanceof Error ? error.message : String(error);
  return new DownloadError(isTimeout ? "timeout" : "failed", `can't get ${what}: ${reason}`, {
    cause: error,
    isTransient: true,
    ...details,
  });
}
