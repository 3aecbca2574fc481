import type { FileHandle } from "node:fs/promises";
import type { RequestListener } from "node:http";
import cors from "cors";
import express, { type RequestHandler } from "express";
import type { ServerSettings } from "../config/server.ts";
import type { HealthCheck } from "../observability/health.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Resolver } from "../modules/resolver.ts";
import type { Admission } from "./admission.ts";
import { allow } from "./allow.ts";
import { answerErrors, type ReportError } from "./errorResponses.ts";
import { bulkApi } from "./bulk/bulkApi.ts";
import { cacheReport, type CacheCounts } from "./cacheReport.ts";
import { checkHeaders } from "./checkHeaders.ts";
import { dockerflow } from "./dockerflow.ts";
import { HttpError } from "./httpError.ts";
import type { LineParser } from "../codec/bulk/lineParser.ts";
import type { RequestParser } from "../codec/requestParser.ts";
import { requestSummary } from "./requestSummary.ts";
import { jsonHeaders } from "./securityHeaders.ts";
import { staticFiles } from "./staticFiles.ts";
import { symbolicateApi } from "./symbolicateApi.ts";

export interface AppParts {
  config: ServerSettings;
  /** Of the disk cache. */
  maxCacheBytes: number;
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: RequestParser;
  lineParser: LineParser;
  health: HealthCheck;
  cacheCounts: () => CacheCounts;
  metrics: Metrics;
  requestLog: Logger;
  versionFile: string | URL;
  isDraining: () => boolean;
  /** An empty file that is gone once it is closed. */
  openTemporaryFile: () => Promise<FileHandle>;
  /** Aborted with an HttpError when bulk answers must end though more lines come. */
  ending: AbortSignal;
  reportError: ReportError;
}

/** Everything that is answered over HTTP. */
export function createApp(parts: AppParts): RequestListener {
  const app = express();
  app.set("case sensitive routing", true).set("strict routing", true).set("etag", false);
  app.disable("x-powered-by");

  app.use(requestSummary(parts.requestLog));
  app.use(countPageviews(parts.metrics));
  app.use(jsonHeaders);
  app.use(cors({ preflightContinue: true, methods: [] }));
  app.use(checkHeaders);

  app.use(dockerflow(parts));
  for (const version of ["v4", "v5"] as const)
    allow(app, `/symbolicate/${version}`, "post", symbolicateApi(version, parts));
  allow(app, "/symbolicate/bulk", "post", bulkApi({ ...parts, parser: parts.lineParser }));
  allow(app, "/cache", "get", cacheReport(parts.cacheCounts, parts.maxCacheBytes));
  const { page, file, files } = staticFiles();
  allow(app, "/", "get", page("index.html"));
  allow(app, "/docs", "get", page("docs.html"));
  allow(app, "/openapi.json", "get", file("openapi.json"));
  app.use("/static", files);

  app.use(() => {
    throw new HttpError(404);
  });
  app.use(answerErrors(parts.reportError));
  return (request, response) => {
    request.url = withoutHost(request.url ?? "");
    app(request, response);
  };
}

/** Proxies may ask for `http://host/path`. Express gives up where that is no good URL. */
function withoutHost(target: string): string {
  const path = target.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  return path === "*" || path.startsWith("/") ? path : `/${path}`;
}

/** Counts requests that a handler took: no preflights, no wrong paths or methods. */
function countPageviews(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    response.once("finish", () => {
      const { method, route } = request;
      if (!route || method === "OPTIONS" || response.statusCode === 405) return;
      metrics.increment("pageview", { path: String(route.path), method: method.toLowerCase() });
    });
    next();
  };
}
