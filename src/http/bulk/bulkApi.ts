import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { Request, Response } from "express";
import { abortable } from "../../async/abortable.ts";
import { readBulkOptions } from "../../codec/bulk/bulkOptions.ts";
import { renderLine, type LineStyle, type SymbolicatedLine } from "../../codec/bulk/renderLine.ts";
import { JsonBytes, recycle } from "../../codec/jsonBytes.ts";
import type { Parser } from "../../codec/parser.ts";
import type { ServerSettings } from "../../config/server.ts";
import type { Resolver } from "../../modules/resolver.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { RequestRefused, type Admission, type MemoryShare, type Reservation } from "../admission.ts";
import { ClientLeft, leaving } from "../clientLeft.ts";
import { disableRequestTimeout } from "../connections.ts";
import type { ReportError } from "../errorResponses.ts";
import { HttpError, toHttpError } from "../httpError.ts";
import { drainRequest, streamBody } from "../readBody.ts";
import { threadPoolResponds } from "../threadPool.ts";
import { GzippedResponse } from "./gzippedResponse.ts";
import { bytesOf, mapAhead } from "./mapAhead.ts";
import { readLines } from "./readLines.ts";
import { SpooledResponse, type Spool } from "./spooledResponse.ts";
import { symbolicateLines } from "./symbolicateLines.ts";

/** Lines that are written before other requests can run. */
const linesPerYield = 8;
/** Of the memory of all bulk requests, beyond which each of them holds only one line at a time. */
const maxFillToReadAhead = 0.5;

interface Deps {
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: Parser;
  metrics: Metrics;
  config: Pick<
    ServerSettings,
    "responseTimeoutMs" | "bulkSpoolBytes" | "maxResponseBytes" | "maxBodyBytes" | "requestTimeoutMs"
  >;
  openTemporaryFile: Spool["openFile"];
  /** Aborted with an HttpError when responses must end early. */
  ending: AbortSignal;
  reportError: ReportError;
}

/** Handles `POST /symbolicate/bulk`: responds to each line, in order, while more lines are received. */
export function bulkApi(deps: Deps) {
  const { admission, metrics, config } = deps;
  const spool: Spool = { openFile: deps.openTemporaryFile, bytesLeft: config.bulkSpoolBytes };
  return async (request: Request, response: Response): Promise<void> => {
    const start = performance.now();
    const options = readBulkOptions(request.query);
    const style = { flat: options.inlines === "flat", debug: Boolean(request.header("debug")) };
    const summary = { lines: 0, bad_lines: 0, end: "left" };
    response.locals["summary"] = summary;
    const signal = AbortSignal.any([leaving(response), deps.ending]);
    try {
      using reservation = admission.admit();
      reservation.begin();
      // Before the body is read: nothing would listen for its errors in the meantime.
      const isGzipped = acceptsGzip(request) && (await threadPoolResponds());
      disableRequestTimeout(response);
      const received = reservation.share("body");
      const lines = readLines(streamBody(request, response), {
        maxLineBytes: config.maxBodyBytes,
        timeoutMs: config.requestTimeoutMs,
        signal,
        memory: received,
        progressed: (bytes) => reservation.progressed(bytes),
      });
      const groups = mapAhead(lines, {
        async work(group) {
          const symbolicated = await symbolicateLines(group, options, { ...deps, reservation, signal });
          received.release(bytesOf(group));
          return symbolicated;
        },
        mayReadAhead: () => admission.fill < maxFillToReadAhead,
        waitForClient: (line) => reservation.waitForClient(line),
      });
      const unread = reservation.share("response");
      await using plain = new SpooledResponse(response, spool, unread, config.responseTimeoutMs);
      using gzipped = isGzipped ? new GzippedResponse(plain) : undefined;
      const output = gzipped ?? plain;
      response.status(200).type("application/x-ndjson").vary("Accept-Encoding");
      if (gzipped) response.set("Content-Encoding", "gzip");
      try {
        for (;;) {
          const { done, value: group } = await abortable(groups.next(), signal);
          if (done) break;
          using _ = group.memory;
          for (const line of group.lines) {
            using memory = reservation.share("response");
            const slices = await render(line, style, config.maxResponseBytes, memory);
            await waitForReader(output.write(slices), request, reservation);
            reservation.progressed(byteLength(slices));
            summary.lines++;
            if ("error" in line) summary.bad_lines++;
            if (summary.lines % linesPerYield === 0) await setImmediate();
          }
          await waitForReader(output.flush(), request, reservation);
        }
        await waitForReader(output.end([]), request, reservation);
        summary.end = "whole";
      } catch (error) {
        if (!response.headersSent) response.removeHeader("Content-Encoding");
        if (!response.headersSent || error instanceof ClientLeft) throw error;
        const known = toHttpError(error);
        if (!known) deps.reportError(error, request);
        // The client may read nothing before it has sent everything.
        void drainRequest(request);
        const { title } = known ?? new HttpError(500);
        await output.end([Buffer.from(`${JSON.stringify({ error: { title, fatal: true } })}\n`)]);
        summary.end = "failed";
      }
    } catch (error) {
      if (error instanceof ClientLeft) return;
      if (error instanceof RequestRefused) metrics.increment("symbolicate.refused", { reason: error.limit });
      summary.end = "refused";
      throw error;
    } finally {
      metrics.timing("bulk.stream", performance.now() - start, { end: summary.end });
      metrics.increment("bulk.lines", { result: "bad" }, summary.bad_lines);
      metrics.increment("bulk.lines", { result: "answered" }, summary.lines - summary.bad_lines);
    }
  };
}

function byteLength(slices: Buffer[]): number {
  return slices.reduce((sum, slice) => sum + slice.length, 0);
}

/** Resets the connection of a client that stalls, and throws a ClientLeft. */
async function waitForReader(
  written: Promise<void>,
  request: Request,
  reservation: Reservation,
): Promise<void> {
  try {
    await reservation.waitForClient(written);
  } catch (error) {
    if (!reservation.revoked.aborted) throw error;
    request.socket.resetAndDestroy();
    throw new ClientLeft();
  }
}

/** Renders a line, or an error if its response is too large. Yields regularly so that other requests can run. */
async function render(
  line: SymbolicatedLine,
  style: LineStyle,
  maxBytes: number,
  memory: MemoryShare,
): Promise<Buffer[]> {
  const json = new JsonBytes(maxBytes);
  let reservedBytes = 0;
  try {
    for (const _ of renderLine(line, json, style)) {
      memory.reserve(json.finishedBytes - reservedBytes);
      reservedBytes = json.finishedBytes;
      await setImmediate();
    }
    const slices = json.end();
    const [only] = slices;
    if (!only || slices.length > 1) return slices;
    const copy = Buffer.from(only);
    recycle(only);
    return [copy];
  } catch (error) {
    const known = toHttpError(error);
    if (!known) throw error;
    return render({ error: { title: known.title } }, style, Infinity, memory);
  }
}

function acceptsGzip(request: Request): boolean {
  return request.acceptsEncodings("gzip", "identity") === "gzip";
}
