import { once } from "node:events";
import { performance } from "node:perf_hooks";
import type { Request, Response } from "express";
import type { ServerSettings } from "../config/server.ts";
import type { Metrics } from "../observability/metrics.ts";
import { locationBytes, symbolicate } from "../symbolication/symbolicate.ts";
import type { Resolver } from "../modules/resolver.ts";
import type { GroupedJobs } from "../symbolication/groupFrames.ts";
import { RequestRefused, type Admission } from "./admission.ts";
import { limitAnswerTime } from "./responseTimeout.ts";
import { debugReport } from "../codec/debugReport.ts";
import type { JsonBytes } from "../codec/jsonBytes.ts";
import type { ApiVersion } from "../codec/parseRequest.ts";
import { readBody } from "./readBody.ts";
import { renderV4 } from "../codec/renderV4.ts";
import { renderV5 } from "../codec/renderV5.ts";
import { RequestError } from "../codec/requestError.ts";
import type { RequestParser } from "../codec/requestParser.ts";
import { sendJson } from "./sendJson.ts";

interface Parts {
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: RequestParser;
  metrics: Metrics;
  config: Pick<ServerSettings, "responseTimeoutMs" | "maxBodyBytes" | "maxResponseBytes">;
}

/** Answers `POST /symbolicate/v4` or `/v5`. */
export function symbolicateApi(version: ApiVersion, { admission, resolver, parser, metrics, config }: Parts) {
  return async (request: Request, response: Response): Promise<void> => {
    const start = performance.now();
    using shares = new DisposableStack();
    try {
      const share = shares.use(admission.admit());
      const body = await readBody(request, response, { maxBytes: config.maxBodyBytes, hold: share.hold });
      share.takePlace();
      const jobs = await parser.parse(body, version);
      measure(jobs, version, metrics);
      if (response.closed) return;
      const symbolicated = await symbolicate(jobs, resolver, config.maxResponseBytes);
      if (response.closed) return;
      share.hold(locationBytes(symbolicated));
      const wantsDebug = version === "v5" && Boolean(request.header("debug"));
      const debug = wantsDebug ? debugReport(symbolicated, performance.now() - start) : undefined;
      const render = (json: JsonBytes) =>
        version === "v5" ? renderV5(symbolicated, json, debug) : renderV4(symbolicated, json);
      limitAnswerTime(response, config.responseTimeoutMs);
      await sendJson(response, render, config.maxResponseBytes, share);
    } catch (error) {
      if (error instanceof RequestRefused) metrics.increment("symbolicate.refused", { reason: error.bound });
      // A body that its client broke off says nothing of what the client sends.
      if (error instanceof RequestError && error.reason && !request.socket.destroyed)
        metrics.increment("symbolicate.request_error", { reason: error.reason });
      throw error;
    } finally {
      metrics.timing("symbolicate.api", performance.now() - start, { version });
    }
    // Until the client has it, the answer takes memory.
    if (!response.closed) await once(response, "close");
  };
}

function measure({ jobs }: GroupedJobs, version: ApiVersion, metrics: Metrics): void {
  metrics.histogram("symbolicate.jobs_count", jobs.length, { version });
  for (const job of jobs) metrics.histogram("symbolicate.stacks_count", job.stackLengths.length, { version });
  const frames = jobs.reduce((sum, job) => sum + job.moduleIndexes.length, 0);
  metrics.histogram("symbolicate.frames_count", frames, {});
}
