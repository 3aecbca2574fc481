import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { RequestHandler } from "express";
import type { Logger } from "../observability/logging.ts";

/** Health checks and static files. */
const routinePaths = /^\/(__\w+__|static\/.*|docs|openapi\.json)?$/;
const requestIdPattern = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/**
 * Logs Dockerflow's `request.summary` when the response has been sent or the client has left. Query and body are not logged,
 * and health checks and static files only at DEBUG. Handlers add fields in `response.locals.summary`.
 */
export function requestSummary(log: Logger): RequestHandler {
  return (request, response, next) => {
    const start = performance.now();
    // Express strips the mount path while a mounted handler runs.
    const { path } = request;
    const given = request.header("x-request-id") ?? "";
    const rid = requestIdPattern.test(given) ? given : randomUUID();
    response.once("close", () => {
      const code = response.statusCode;
      const summary = {
        agent: loggable(request.header("user-agent") ?? "", 256),
        errno: code < 500 ? 0 : code,
        method: request.method,
        path: loggable(path, 256),
        code,
        lang: loggable(request.header("accept-language") ?? "", 64),
        t: Math.round(performance.now() - start),
        rid,
        left: !response.writableFinished,
        ...(response.locals["summary"] as object | undefined),
      };
      const level = code < 400 && routinePaths.test(path) ? "debug" : "info";
      log[level](summary, "request.summary");
    });
    next();
  };
}

/** JSON escapes only half of the control characters; a terminal would interpret the others. */
function loggable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll(/\p{Cc}/gu, "\uFFFD");
}
