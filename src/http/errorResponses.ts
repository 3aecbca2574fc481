import type { ErrorRequestHandler, Request } from "express";
import { RequestRefused } from "./admission.ts";
import { HttpError, toHttpError } from "./httpError.ts";
import { drainRequest, wantsContinue } from "./readBody.ts";

/** The rest of a body up to this length is read, so that the connection can be used again. */
const shortBodyBytes = 1_000_000;

/** Reports an error that is a bug of this service. */
export type ReportError = (error: unknown, request: Request) => void;

/** Responds `{"title": …}` to whatever a handler threw. Any error that is not the request's fault is a bug. */
export function errorResponses(report: ReportError): ErrorRequestHandler {
  return async (error: unknown, request, response, next) => {
    const known = toHttpError(error);
    if (!known) report(error, request);
    if (response.headersSent) return next(error);
    const { status, title } = known ?? new HttpError(500);
    if (known instanceof RequestRefused) response.set("Retry-After", "1");
    const body = JSON.stringify({ title });
    response
      .status(status)
      .type("json")
      .set("Content-Length", String(Buffer.byteLength(body)));
    const isRestAwaited = response.shouldKeepAlive && status !== 408 && isShort(request);
    if (request.complete || isRestAwaited) return void response.end(body);
    response.set("Connection", "close").write(body);
    await drainRequest(request);
    response.end();
  };
}

/** Whether the rest of the body is certain to come, and soon. */
function isShort(request: Request): boolean {
  const { "transfer-encoding": encoding, "content-length": length = "0" } = request.headers;
  return !wantsContinue(request) && encoding === undefined && Number(length) <= shortBodyBytes;
}
