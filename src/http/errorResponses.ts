import type { ErrorRequestHandler, Request } from "express";
import { RequestRefused } from "./admission.ts";
import { wantsContinue } from "./checkHeaders.ts";
import { HttpError, toHttpError } from "./httpError.ts";

/** Bytes of a body that is let by though nobody wants it, so that the connection can be used again. */
const shortBody = 1_000_000;

/** Tells whoever watches over the service of an error that is a bug of ours. */
export type ReportError = (error: unknown, request: Request) => void;

/** Answers `{"title": …}` for whatever a handler threw. What is not an HttpError is a bug: reported, and 500. */
export function answerErrors(report: ReportError): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const known = toHttpError(error);
    if (!known) report(error, request);
    if (response.headersSent) return next(error);
    const { status, title } = known ?? new HttpError(500);
    if (known instanceof RequestRefused) response.set("Retry-After", "1");
    if (!request.complete && !canGoBy(request)) response.set("Connection", "close");
    response.status(status).type("json").json({ title });
  };
}

/** Whether the rest of the body comes for certain, and soon. */
function canGoBy(request: Request): boolean {
  const { "transfer-encoding": encoding, "content-length": length = "0" } = request.headers;
  return !wantsContinue(request) && encoding === undefined && Number(length) <= shortBody;
}
