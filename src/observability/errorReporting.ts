import http, { type ClientRequest, type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import type { ErrorEvent, NodeOptions } from "@sentry/node";
import type { ObservabilitySettings } from "../config/observability.ts";
import type { Metrics } from "./metrics.ts";

/** Where bugs are reported to. */
export interface ErrorReporting extends AsyncDisposable {
  /** `request` is the one that met the bug: its headers go along, its body and query do not. */
  report(error: unknown, request?: { method: string; path: string; headers: IncomingHttpHeaders }): void;
}

/** How Sentry sends its requests. */
type HttpModule = NonNullable<NonNullable<NodeOptions["transportOptions"]>["httpModule"]>;

/** Milliseconds that Sentry may take to answer. */
const patience = 10_000;

/** Headers that say who the client is, or are his secrets. */
const scrubbed = new Set([
  "authorization",
  "cookie",
  "forwarded",
  "proxy-authorization",
  "x-forwarded-for",
  "x-real-ip",
]);

/** Reports to Sentry where a DSN is set, else nowhere. `release` is `<version>:<commit>`. */
export async function startErrorReporting(
  config: Pick<ObservabilitySettings, "sentryDsn" | "hostname">,
  release: string,
  metrics: Metrics,
): Promise<ErrorReporting> {
  if (config.sentryDsn === "") return { report() {}, async [Symbol.asyncDispose]() {} };
  const requests = new Set<ClientRequest>();
  // Loading it takes longer than all the rest of the start.
  const sentry = await import("@sentry/node");
  sentry.init({
    dsn: config.sentryDsn,
    serverName: config.hostname,
    release,
    // They would patch HTTP, and end the process after an uncaught error, which main.ts sees to.
    defaultIntegrations: false,
    transportOptions: {
      httpModule: followed((config.sentryDsn.startsWith("https:") ? https : http) as HttpModule, requests),
    },
    beforeSend(event) {
      try {
        return scrub(event);
      } catch {
        metrics.increment("sentry_scrub_error", { service: "webapp" });
        return null;
      }
    },
  });
  return {
    report(error, request) {
      sentry.withScope((scope) => {
        if (request) {
          const { method, path, headers } = request;
          const sent = Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [name, String(value)]),
          );
          scope.addEventProcessor((event) => ({
            ...event,
            transaction: path,
            transaction_info: { source: "route" },
            request: { method, url: path, headers: sent },
          }));
        }
        sentry.captureException(error, { mechanism: { type: "eliot", handled: false } });
      });
    },
    async [Symbol.asyncDispose]() {
      await sentry.close(2000);
      // What Sentry hasn't answered would keep the process from ending.
      for (const request of requests) request.destroy();
    },
  };
}

/** Sends requests as another does, while those under way are in a set; one that isn't answered is given up. */
function followed(module: HttpModule, requests: Set<ClientRequest>): HttpModule {
  return {
    request(options, callback) {
      const request = module.request(options, callback);
      request.setTimeout(patience, () => request.destroy());
      request.once("close", () => requests.delete(request));
      requests.add(request);
      return request;
    },
  };
}

function scrub(event: ErrorEvent): ErrorEvent {
  if (!event.request?.headers) return event;
  const headers = Object.entries(event.request.headers).map(([name, value]) => [
    name,
    scrubbed.has(name.toLowerCase()) ? "[Scrubbed]" : value,
  ]);
  return { ...event, request: { ...event.request, headers: Object.fromEntries(headers) } };
}
