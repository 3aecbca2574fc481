import { performance } from "node:perf_hooks";
import type { Request, Response } from "express";
import type { JsonBytes } from "../codec/jsonBytes.ts";
import type { ApiVersion } from "../codec/parseRequest.ts";
import { renderV4 } from "../codec/renderV4.ts";
import { renderV5 } from "../codec/renderV5.ts";
import { RequestError } from "../codec/requestError.ts";
import type { Parser } from "../codec/parser.ts";
import type { ServerSettings } from "../config/server.ts";
import type { Resolver } from "../modules/resolver.ts";
import type { Metrics } from "../observability/metrics.ts";
import { jobBytes, type GroupedJobs } from "../symbolication/groupFrames.ts";
import { symbolicate } from "../symbolication/symbolicate.ts";
import { RequestRefused, type Admission, type MemoryShare, type Reservation } from "./admission.ts";
import { ClientLeft, leaving } from "./clientLeft.ts";
import { limitResponseTime } from "./connections.ts";
import { readBody } from "./readBody.ts";
import { renderJson, sendJson } from "./sendJson.ts";

interface Deps {
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: Parser;
  metrics: Metrics;
  config: Pick<ServerSettings, "responseTimeoutMs" | "maxBodyBytes" | "maxResponseBytes">;
}

/** Handles `POST /symbolicate/v4` or `/v5`. */
export function symbolicateApi(version: ApiVersion, deps: Deps) {
  const { admission, metrics, config } = deps;
  return async (request: Request, response: Response): Promise<void> => {
    const start = performance.now();
    try {
      using reservation = admission.admit();
      using memory = reservation.share("response");
      const measureTime = () => metrics.timing("symbolicate.api", performance.now() - start, { version });
      const limits = { reservation, memory };
      const slices = await respond(request, response, version, { ...deps, ...limits }).finally(measureTime);
      limitResponseTime(response, config.responseTimeoutMs);
      await sendJson(response, slices, limits);
    } catch (error) {
      if (error instanceof ClientLeft) return;
      if (error instanceof RequestRefused) metrics.increment("symbolicate.refused", { reason: error.limit });
      // If the client has left, its body may be incomplete.
      if (error instanceof RequestError && error.reason && !request.socket.destroyed)
        metrics.increment("symbolicate.request_error", { reason: error.reason });
      throw error;
    }
  };
}

/** Reads a request and renders the response, which is charged to `memory`. Throws a ClientLeft. */
async function respond(
  request: Request,
  response: Response,
  version: ApiVersion,
  deps: Deps & { reservation: Reservation; memory: MemoryShare },
): Promise<Buffer[]> {
  const start = performance.now();
  const { resolver, reservation, memory } = deps;
  const { maxResponseBytes: maxBytes } = deps.config;
  const signal = leaving(response);
  const jobs = await receiveJobs(request, response, version, { ...deps, signal });
  signal.throwIfAborted();
  using jobsMemory = reservation.share("body");
  jobsMemory.reserve(jobBytes(jobs));
  using results = reservation.share("results");
  const symbolicated = await symbolicate(jobs, resolver, { maxBytes, reserve: results.tryReserve, signal });
  const wantsDebug = version === "v5" && Boolean(request.header("debug"));
  const timeMs = wantsDebug ? performance.now() - start : undefined;
  const render = (json: JsonBytes) =>
    version === "v5" ? renderV5(symbolicated, json, timeMs) : renderV4(symbolicated, json);
  return await renderJson(render, maxBytes, { reservation, memory }, signal);
}

async function receiveJobs(
  request: Request,
  response: Response,
  version: ApiVersion,
  { parser, metrics, config, reservation, signal }: Deps & { reservation: Reservation; signal: AbortSignal },
): Promise<GroupedJobs> {
  using memory = reservation.share("body");
  const body = await readBody(request, response, { maxBytes: config.maxBodyBytes, reservation, memory });
  reservation.begin();
  const jobs = await parser.parse(body, version, signal);
  measure(jobs, version, metrics);
  return jobs;
}

function measure({ jobs }: GroupedJobs, version: ApiVersion, metrics: Metrics): void {
  metrics.histogram("symbolicate.jobs_count", jobs.length, { version });
  for (const job of jobs) metrics.histogram("symbolicate.stacks_count", job.stackLengths.length, { version });
  const frames = jobs.reduce((sum, job) => sum + job.moduleIndexes.length, 0);
  metrics.histogram("symbolicate.frames_count", frames, {});
}
