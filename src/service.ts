import { readFile } from "node:fs/promises";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DestinationStream } from "pino";
import { ConfigError, withoutSecrets, type Config } from "./config/config.ts";
import { startEngine } from "./engine.ts";
import { shareHandles } from "./config/fileHandles.ts";
import { HealthCheck } from "./observability/health.ts";
import { Admission } from "./http/admission.ts";
import type { ReportError } from "./http/errorResponses.ts";
import { createApp } from "./http/app.ts";
import { drain } from "./http/drain.ts";
import { LineParser } from "./codec/bulk/lineParser.ts";
import { RequestParser } from "./codec/requestParser.ts";
import { createHttpServer } from "./http/server.ts";
import { createLogs, type Logger } from "./observability/logging.ts";
import { Metrics } from "./observability/metrics.ts";
import { resumeHolding } from "./modules/resumeHolding.ts";
import { startErrorReporting } from "./observability/errorReporting.ts";
import { standardOutput } from "./observability/standardOutput.ts";
import { createSource } from "./sources/createSource.ts";
import { warmUp } from "./warmUp/warmUp.ts";

export interface Overrides {
  logDestination?: DestinationStream;
  versionFile?: string | URL;
  /** Milliseconds of warming up after which the service accepts requests however slow it still is. */
  longestWarmUp?: number;
}

export interface Service extends AsyncDisposable {
  readonly port: number;
  readonly log: Logger;
  /** Logs an error that nothing caught, and reports it. */
  reportFatal(error: unknown): void;
  /** Stops accepting requests, answers those accepted, and ends. Called again: ends what is left at once. */
  close(): Promise<void>;
}

/** Starts everything that `config` asks for; resolves once requests are accepted. */
export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const { versionFile = new URL("../version.json", import.meta.url), longestWarmUp = 1000 } = overrides;
  const logs = createLogs(config, overrides.logDestination ?? standardOutput(starting));
  const metrics = starting.use(new Metrics(config));
  const errorReporting = starting.use(await startErrorReporting(config, await release(versionFile), metrics));
  logs.app.info(withoutSecrets(config), "configuration");

  const sources = config.sources.map((address) => starting.use(createSource(address, config)));
  const admission = new Admission(config);
  const bulkAdmission = new Admission(config);
  const isCrowded = () => admission.isCrowded;
  const engine = starting.use(await startEngine({ config, sources, metrics, log: logs.app, isCrowded }));
  const { folder, converters, lookups, sharedCache, symcaches } = engine;

  let draining = false;
  const ending = new AbortController();
  const parts = {
    config,
    admission,
    bulkAdmission,
    parser: starting.use(new RequestParser()),
    lineParser: starting.use(new LineParser()),
    health: new HealthCheck({
      folder,
      lookups,
      converters,
      sources,
      sharedCache,
      queues: {
        requests: () => Math.max(admission.fill, bulkAdmission.fill),
        downloads: () => symcaches.waiting / Math.max(1, config.downloadQueue),
      },
    }),
    cacheCounts: () => ({ ...folder.contents, ...symcaches.counts }),
    versionFile,
    isDraining: () => draining,
    openTemporaryFile: () => folder.openTemporaryFile(),
    ending: ending.signal,
    reportError(error: unknown, request: Parameters<ReportError>[1]) {
      logs.app.error({ err: error, path: request.path }, "request failed");
      errorReporting.report(error, request);
    },
  };
  const enough = AbortSignal.timeout(longestWarmUp);
  const warmingUp = warmUp({ ...parts, converters, lookups }, enough).catch((err: unknown) =>
    logs.app.warn({ err }, "warm-up failed"),
  );
  starting.defer(() => warmingUp);
  // Where that takes longer, it goes on beside the first requests.
  await Promise.race([Promise.all([warmingUp, resumeHolding(folder, lookups)]), once(enough, "abort")]);
  const app = createApp({ ...parts, symcaches, metrics, requestLog: logs.requests });
  const handles = await shareHandles(config);
  const { maxConnections } = handles;
  if (handles.allowed < handles.least)
    logs.app.error(handles, "too few files may be open (ulimit -n): modules may fail for want of them");
  else if (maxConnections < config.maxConnections)
    logs.app.warn(handles, "fewer connections than ELIOT_MAX_CONNECTIONS: too few files may be open (ulimit -n)"); // prettier-ignore
  const http = createHttpServer(app, { ...config, maxConnections });
  await listen(http.server, config);
  const { port } = http.server.address() as AddressInfo;
  logs.app.info({ port }, `listening on http://${config.host}:${port}`);

  const running = starting.move();
  const hurry = new AbortController();
  let closed: Promise<void> | undefined;
  const service: Service = {
    port,
    log: logs.app,
    reportFatal(err) {
      logs.app.fatal({ err }, "uncaught error");
      errorReporting.report(err);
    },
    close() {
      if (closed) {
        hurry.abort();
        return closed;
      }
      draining = true;
      logs.app.info("closing");
      closed = drain(http, config, hurry.signal, ending).then(() => running.disposeAsync());
      return closed;
    },
    [Symbol.asyncDispose]: () => service.close(),
  };
  return service;
}

function listen(server: Server, { port, host }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new ConfigError(`can't listen on ELIOT_HOST and PORT: ${cause.message}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** `<version>:<commit>`, for Sentry. */
async function release(versionFile: string | URL): Promise<string> {
  const { version = "none", commit = "unknown" } = JSON.parse(
    await readFile(versionFile, "utf8").catch(() => "{}"),
  ) as { version?: string; commit?: string };
  return `${version}:${commit.slice(0, 8)}`;
}
