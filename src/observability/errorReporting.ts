import http, { type ClientRequest, type IncomingHttpHeaders } from "node:http";
import https from "node:https";
import type { ErrorEvent, NodeOptions } from "@sentry/node";
import type { ObservabilitySettings } from "../config/observability.ts";
import type { Metrics } from "./metrics.ts";

/** Reports unexpected errors. */
export interface ErrorReporting extends AsyncDisposable {
  /** Sends the headers of the failed request along, but not its body or query. */
  report(error: unknown, request?: { method: string; path: string; headers: IncomingHttpHeaders }): void;
}

type HttpModule = NonNullable<NonNullable<NodeOptions["transportOptions"]>["httpModule"]>;

const sendTimeoutMs = 10_000;
const flushTimeoutMs = 2000;

/** Headers with secrets, or that identify the client. */
const scrubbedHeaders = new Set([
  "authorization",
  "cookie",
  "forwarded",
  "proxy-authorization",
  "x-forwarded-for",
  "x-real-ip",
]);

/** Reports to Sentry if a DSN is configured. `release` is `<version>:<commit>`. */
export async function startErrorReporting(
  config: Pick<ObservabilitySettings, "sentryDsn" | "hostname">,
  release: string,
  metrics: Metrics,
): Promise<ErrorReporting> {
  if (config.sentryDsn === "") return { report() {}, async [Symbol.asyncDispose]() {} };
  const requests = new Set<ClientRequest>();
  // Loaded only if needed: it takes longer than everything else at the start.
  const sentry = await import("@sentry/node");
  sentry.init({
    dsn: config.sentryDsn,
    serverName: config.hostname,
    release,
    // The default ones patch HTTP, and end the process after an uncaught error, which serve.ts does.
    defaultIntegrations: false,
    transportOptions: {
      httpModule: trackRequests(
        (config.sentryDsn.startsWith("https:") ? https : http) as HttpModule,
        requests,
      ),
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
      await sentry.close(flushTimeoutMs);
      // A pending request would keep the process alive.
      for (const request of requests) request.destroy();
    },
  };
}

/** Keeps pending requests in a set, and gives each a timeout. */
function trackRequests(module: HttpModule, requests: Set<ClientRequest>): HttpModule {
  return {
    request(options, callback) {
      const request = module.request(options, callback);
      request.setTimeout(sendTimeoutMs, () => request.destroy());
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
    scrubbedHeaders.has(name.toLowerCase()) ? "[Scrubbed]" : value,
  ]);
  return { ...event, request: { ...event.request, headers: Object.fromEntries(headers) } };
}
