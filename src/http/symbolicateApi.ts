import { once } from "node:events";
import { performance } from "node:perf_hooks";
import type { Request, Response } from "express";
import { debugReport } from "../codec/debugReport.ts";
import type { JsonBytes } from "../codec/jsonBytes.ts";
import type { ApiVersion } from "../codec/parseRequest.ts";
import { renderV4 } from "../codec/renderV4.ts";
import { renderV5 } from "../codec/renderV5.ts";
import { RequestError } from "../codec/requestError.ts";
import type { Parser } from "../codec/parser.ts";
import type { ServerSettings } from "../config/server.ts";
import type { Resolver } from "../modules/resolver.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { locationBytes, symbolicate } from "../symbolication/symbolicate.ts";
import { RequestRefused, type Admission } from "./admission.ts";
import { limitResponseTime } from "./connections.ts";
import { readBody } from "./readBody.ts";
import { sendJson } from "./sendJson.ts";

interface Deps {
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: Parser;
  metrics: Metrics;
  config: Pick<ServerSettings, "responseTimeoutMs" | "maxBodyBytes" | "maxResponseBytes">;
}

/** Handles `POST /symbolicate/v4` or `/v5`. */
export function symbolicateApi(version: ApiVersion, { admission, resolver, parser, metrics, config }: Deps) {
  return async (request: Request, response: Response): Promise<void> => {
    const start = performance.now();
    using reservations = new DisposableStack();
    try {
      const reservation = reservations.use(admission.admit());
      const { reserve } = reservation;
      const body = await readBody(request, response, { maxBytes: config.maxBodyBytes, reserve });
      reservation.begin();
      const jobs = await parser.parse(body, version);
      measure(jobs, version, metrics);
      if (response.closed) return;
      const symbolicated = await symbolicate(jobs, resolver, config.maxResponseBytes);
      if (response.closed) return;
      reserve(locationBytes(symbolicated));
      const wantsDebug = version === "v5" && Boolean(request.header("debug"));
      const debug = wantsDebug ? debugReport(symbolicated, performance.now() - start) : undefined;
      const render = (json: JsonBytes) =>
        version === "v5" ? renderV5(symbolicated, json, debug) : renderV4(symbolicated, json);
      limitResponseTime(response, config.responseTimeoutMs);
      await sendJson(response, render, config.maxResponseBytes, reservation);
    } catch (error) {
      if (error instanceof RequestRefused) metrics.increment("symbolicate.refused", { reason: error.limit });
      // If the client has left, its body may be incomplete.
      if (error instanceof RequestError && error.reason && !request.socket.destroyed)
        metrics.increment("symbolicate.request_error", { reason: error.reason });
      throw error;
    } finally {
      metrics.timing("symbolicate.api", performance.now() - start, { version });
    }
    // The response takes memory until the client has received it.
    if (!response.closed) await once(response, "close");
  };
}

function measure({ jobs }: GroupedJobs, version: ApiVersion, metrics: Metrics): void {
  metrics.histogram("symbolicate.jobs_count", jobs.length, { version });
  for (const job of jobs) metrics.histogram("symbolicate.stacks_count", job.stackLengths.length, { version });
  const frames = jobs.reduce((sum, job) => sum + job.moduleIndexes.length, 0);
  metrics.histogram("symbolicate.frames_count", frames, {});
}
