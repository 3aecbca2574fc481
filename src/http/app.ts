import type { FileHandle } from "node:fs/promises";
import type { RequestListener } from "node:http";
import cors from "cors";
import express, { type RequestHandler } from "express";
import type { Parser } from "../codec/parser.ts";
import type { ServerSettings } from "../config/server.ts";
import type { Resolver } from "../modules/resolver.ts";
import type { HealthCheck } from "../observability/health.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Admission } from "./admission.ts";
import { allow } from "./allow.ts";
import { bulkApi } from "./bulk/bulkApi.ts";
import { dockerflow } from "./dockerflow.ts";
import { errorResponses, type ReportError } from "./errorResponses.ts";
import { HttpError } from "./httpError.ts";
import { wantsContinue } from "./readBody.ts";
import { requestSummary } from "./requestSummary.ts";
import { jsonHeaders } from "./securityHeaders.ts";
import { staticFiles } from "./staticFiles.ts";
import { symbolicateApi } from "./symbolicateApi.ts";

export interface AppDeps {
  config: ServerSettings;
  maxCacheBytes: number;
  admission: Admission;
  /** Separate, so that slow bulk clients do not use up the limits of v4 and v5. */
  bulkAdmission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: Parser;
  health: HealthCheck;
  cacheCounts: () => CacheCounts;
  metrics: Metrics;
  requestLog: Logger;
  versionFile: string | URL;
  isDraining: () => boolean;
  /** Opens an empty file that is deleted when it is closed. */
  openTemporaryFile: () => Promise<FileHandle>;
  /** Aborted with an HttpError when bulk responses must end early. */
  ending: AbortSignal;
  reportError: ReportError;
}

/** The state of the cache folder, and the lookups since the start, one per module and request. */
interface CacheCounts {
  symcaches: number;
  bytes: number;
  hits: number;
  misses: number;
}

/** All routes of the service. */
export function createApp(deps: AppDeps): RequestListener {
  const app = express();
  app.set("case sensitive routing", true).set("strict routing", true).set("etag", false);
  app.disable("x-powered-by");

  app.use(requestSummary(deps.requestLog));
  app.use(countPageviews(deps.metrics));
  app.use(jsonHeaders);
  app.use(cors({ preflightContinue: true, methods: [] }));
  app.use(checkHeaders);

  app.use(dockerflow(deps));
  for (const version of ["v4", "v5"] as const)
    allow(app, `/symbolicate/${version}`, "post", symbolicateApi(version, deps));
  allow(app, "/symbolicate/bulk", "post", bulkApi({ ...deps, admission: deps.bulkAdmission }));
  allow(app, "/cache", "get", (_request, response) => {
    const { symcaches, bytes, hits, misses } = deps.cacheCounts();
    response.json({ symcaches, bytes, max_bytes: deps.maxCacheBytes, hits, misses });
  });
  const { page, file, files } = staticFiles();
  allow(app, "/", "get", page("index.html"));
  allow(app, "/docs", "get", page("docs.html"));
  allow(app, "/openapi.json", "get", file("openapi.json"));
  app.use("/static", files);

  app.use(() => {
    throw new HttpError(404);
  });
  app.use(errorResponses(deps.reportError));
  return (request, response) => {
    request.url = withoutHost(request.url ?? "");
    app(request, response);
  };
}

/** Proxies may request `http://host/path`. Express fails if that is not a valid URL. */
function withoutHost(target: string): string {
  const path = target.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  return path === "*" || path.startsWith("/") ? path : `/${path}`;
}

/** Enforces two rules of HTTP/1.1 that Node would enforce with an error response of its own. */
const checkHeaders: RequestHandler = (request, _response, next) => {
  const { expect, host } = request.headers;
  if (request.httpVersion === "1.1") {
    if (host === undefined) throw new HttpError(400);
    if (expect !== undefined && !wantsContinue(request)) throw new HttpError(417);
  }
  next();
};

/** Counts requests that a route handled: not preflights, and not unknown paths or methods. */
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
