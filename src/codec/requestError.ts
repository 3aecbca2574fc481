/** Value of the `reason` tag of the metric `symbolicate.request_error`. */
export type RequestErrorReason = "bad_json" | "invalid_modules" | "invalid_stacks" | "too_many_jobs";

/** The request, or a part of it, breaks a rule. The title is shown to the client. */
export class RequestError extends Error {
  override name = "RequestError";
  readonly title: string;
  readonly reason: RequestErrorReason | undefined;

  constructor(title: string, reason?: RequestErrorReason) {
    super(title);
    this.title = title;
    this.reason = reason;
  }
}
