import { STATUS_CODES } from "node:http";

/** A request that is answered with `status` and `{"title": …}`. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  readonly title: string;
  /** Value of the `reason` tag of `symbolicate.request_error`, where that counts it. */
  readonly reason: RequestErrorReason | undefined;

  constructor(status: number, title = `${status} ${STATUS_CODES[status]}`, reason?: RequestErrorReason) {
    super(title);
    this.status = status;
    this.title = title;
    this.reason = reason;
  }
}

/** Also where the answer would be too large to be made at all. */
export function answerTooLarge(): HttpError {
  return new HttpError(413, "the answer would be too large: ask for fewer frames");
}

export type RequestErrorReason = "bad_json" | "invalid_modules" | "invalid_stacks" | "too_many_jobs";
