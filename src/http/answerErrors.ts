import type { ErrorRequestHandler, Request } from "express";
import { HttpError } from "./httpError.ts";

/** Tells whoever watches over the service of an error that is a bug of ours. */
export type ReportError = (error: unknown, request: Request) => void;

/** Answers `{"title": …}` for whatever a handler threw. What is not an HttpError is a bug: reported, and 500. */
export function answerErrors(report: ReportError): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const known = asHttpError(error);
    if (!known) report(error, request);
    if (response.headersSent) return next(error);
    const { status, title } = known ?? new HttpError(500);
    // What is left of a body that was not read to its end can't be told from a next request.
    if (!request.complete && hasBody(request)) response.set("Connection", "close");
    response.status(status).type("json").json({ title });
  };
}

/** A request without one is not complete either while its headers are handled. */
function hasBody({ headers }: Request): boolean {
  return "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
}

/** Express itself throws errors with a status, for a path such as `/%ff`. */
function asHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? new HttpError(status) : undefined;
}
