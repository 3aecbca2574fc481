import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { Request, Response } from "express";
import type { ServerSettings } from "../../config/server.ts";
import type { Metrics } from "../../observability/metrics.ts";
import type { Resolver } from "../../modules/resolver.ts";
import { RequestRefused, type Admission, type Share } from "../admission.ts";
import type { ReportError } from "../errorResponses.ts";
import { allowTime } from "../clientErrors.ts";
import { HttpError, toHttpError } from "../httpError.ts";
import { JsonBytes } from "../../codec/jsonBytes.ts";
import { streamBody } from "../readBody.ts";
import type { LineParser } from "../../codec/bulk/lineParser.ts";
import { answerAhead, mostBytesAhead } from "./answerAhead.ts";
import { AnswerStream, ClientLeft, type Spool } from "./answerStream.ts";
import { readBulkOptions } from "../../codec/bulk/bulkOptions.ts";
import { GzippedStream } from "./gzippedStream.ts";
import { abortable } from "../../async/abortable.ts";
import { readPieces } from "./readPieces.ts";
import { renderLine, type LineStyle, type SymbolicatedLine } from "../../codec/bulk/renderLine.ts";
import { splitLines } from "./splitLines.ts";
import { symbolicateLines } from "./symbolicateLines.ts";

/** Lines that are written before others have their turn. */
const linesAtOnce = 8;

interface Parts {
  admission: Admission;
  resolver: Pick<Resolver, "lookUp">;
  parser: LineParser;
  metrics: Metrics;
  config: Pick<
    ServerSettings,
    "responseTimeoutMs" | "bulkSpoolBytes" | "maxResponseBytes" | "maxBodyBytes" | "requestTimeoutMs"
  >;
  openTemporaryFile: Spool["openFile"];
  /** Aborted with an HttpError when streams must end though more is to come. */
  ending: AbortSignal;
  reportError: ReportError;
}

/** Answers `POST /symbolicate/bulk`: a line for each line, in order, while more of them come. */
export function bulkApi(parts: Parts) {
  const { admission, metrics, config } = parts;
  const spool: Spool = { openFile: parts.openTemporaryFile, bytesLeft: config.bulkSpoolBytes };
  return async (request: Request, response: Response): Promise<void> => {
    const start = performance.now();
    const options = readBulkOptions(request.query);
    const style = { flat: options.inlines === "flat", debug: Boolean(request.header("debug")) };
    const summary = { lines: 0, bad_lines: 0, end: "left" };
    response.locals["summary"] = summary;
    const left = new AbortController();
    response.once("close", () => left.abort(new ClientLeft()));
    const stop = AbortSignal.any([left.signal, parts.ending]);
    try {
      using share = admission.admit();
      share.takePlace();
      share.hold(mostBytesAhead + config.maxBodyBytes);
      allowTime(response);
      const pieces = readPieces(streamBody(request, response), config.requestTimeoutMs, stop);
      const lines = splitLines(pieces, config.maxBodyBytes);
      const answers = answerAhead(lines, (group) => symbolicateLines(group, options, { ...parts, share }));
      await using plain = new AnswerStream(response, spool, config.responseTimeoutMs);
      using gzipped = acceptsGzip(request) ? new GzippedStream(plain) : undefined;
      const stream = gzipped ?? plain;
      response.status(200).type("application/x-ndjson").vary("Accept-Encoding");
      if (gzipped) response.set("Content-Encoding", "gzip");
      try {
        for (;;) {
          const { done, value } = await abortable(answers.next(), stop);
          if (done) break;
          for (const line of value.lines) {
            const { slices, held } = await render(line, style, config.maxResponseBytes, share);
            await stream.write(slices);
            share.release(held);
            summary.lines++;
            if ("error" in line) summary.bad_lines++;
            if (summary.lines % linesAtOnce === 0) await setImmediate();
          }
          await stream.flush();
          share.release(value.held);
        }
        await stream.end([]);
        summary.end = "whole";
      } catch (error) {
        if (!response.headersSent) response.removeHeader("Content-Encoding");
        if (!response.headersSent || error instanceof ClientLeft) throw error;
        const known = toHttpError(error);
        if (!known) parts.reportError(error, request);
        drainRequest(request);
        const { title } = known ?? new HttpError(500);
        await stream.end([Buffer.from(`${JSON.stringify({ error: { title, fatal: true } })}\n`)]);
        summary.end = "failed";
      }
    } catch (error) {
      if (error instanceof ClientLeft) return;
      if (error instanceof RequestRefused) metrics.increment("symbolicate.refused", { reason: error.bound });
      summary.end = "refused";
      throw error;
    } finally {
      metrics.timing("bulk.stream", performance.now() - start, { end: summary.end });
      metrics.increment("bulk.lines", { result: "bad" }, summary.bad_lines);
      metrics.increment("bulk.lines", { result: "answered" }, summary.lines - summary.bad_lines);
    }
  };
}

/**
 * The bytes of a line, and how many of the share are held for them. Others have their turn after each slice of it. Where
 * there are too many, it says so instead.
 */
async function render(
  line: SymbolicatedLine,
  style: LineStyle,
  maxBytes: number,
  share: Share,
): Promise<{ slices: Buffer[]; held: number }> {
  const json = new JsonBytes(maxBytes);
  let held = 0;
  try {
    for (const _ of renderLine(line, json, style)) {
      share.hold(json.finishedBytes - held);
      held = json.finishedBytes;
      await setImmediate();
    }
    const slices = json.end();
    if (slices.length > 1) return { slices, held };
    const copy = Buffer.concat(slices);
    json.release();
    return { slices: [copy], held };
  } catch (error) {
    const known = toHttpError(error);
    if (!known) throw error;
    share.release(held);
    return render({ error: { title: known.title } }, style, Infinity, share);
  }
}

function acceptsGzip(request: Request): boolean {
  return request.acceptsEncodings("gzip", "identity") === "gzip";
}

/** The client may not read before it has sent all. */
function drainRequest(request: Request): void {
  request.unpipe();
  // Of whoever was reading it.
  request.removeAllListeners("readable");
  request.resume();
}
