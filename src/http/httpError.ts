import { STATUS_CODES } from "node:http";
import { BodyTooComplex, ParserStopped } from "../codec/parser.ts";
import { RequestError } from "../codec/requestError.ts";
import { ResultTooLarge } from "../symbolication/frames.ts";

/** A request whose response is `status` and `{"title": …}`. */
export class HttpError extends Error {
  override name = "HttpError";
  readonly status: number;
  readonly title: string;

  constructor(status: number, title = `${status} ${STATUS_CODES[status]}`) {
    super(title);
    this.status = status;
    this.title = title;
  }
}

/** The status and title of every error that a request may cause; undefined for a bug, which is a 500. */
export function toHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof RequestError) return new HttpError(400, error.title);
  if (error instanceof BodyTooComplex)
    return new HttpError(413, "the body takes too long, or too much memory, to parse");
  if (error instanceof ResultTooLarge)
    return new HttpError(413, "the answer would be too large: ask for fewer frames");
  if (error instanceof ParserStopped) return new HttpError(503);
  // Express throws errors with a status, for example for the path `/%ff`.
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? new HttpError(status) : undefined;
}
