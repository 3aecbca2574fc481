import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DestinationStream } from "pino";
import { ConfigError } from "./config/configError.ts";
import { shareFileHandles } from "./config/fileHandles.ts";
import type { MemoryLimit } from "./config/memoryLimit.ts";
import { plannedMemory } from "./config/memoryPlan.ts";
import { loggable, type Config } from "./config/readConfig.ts";
import type { ServerSettings } from "./config/server.ts";
import { startEngine, type Engine } from "./engine.ts";
import { Parser } from "./codec/parser.ts";
import { Admission } from "./http/admission.ts";
import { createApp } from "./http/app.ts";
import { drain } from "./http/drain.ts";
import type { ReportError } from "./http/errorResponses.ts";
import { createHttpServer } from "./http/server.ts";
import { readAhead } from "./modules/readAhead.ts";
import { startErrorReporting } from "./observability/errorReporting.ts";
import { HealthCheck, type Check } from "./observability/health.ts";
import { createLogs, type Logger } from "./observability/logging.ts";
import { Metrics } from "./observability/metrics.ts";
import { standardOutput } from "./observability/standardOutput.ts";
import { createSource } from "./sources/createSource.ts";
import type { Source } from "./sources/source.ts";
import { maxOpenFiles } from "./symcache/lookup/openSymcaches.ts";
import { warmUp } from "./warmUp/warmUp.ts";

/** The part of the memory for bodies and responses that bulk requests share. */
const bulkMemoryPart = 1 / 4;

export interface ServiceOptions {
  logDestination?: DestinationStream;
  versionFile?: string | URL;
  /** The service listens after so long even if it is still warming up; 0 for no warm-up at all. */
  maxWarmUpMs?: number;
  /** Logged at the start. */
  warnings?: string[];
  /** That the configuration was fitted to. */
  memoryLimit?: MemoryLimit;
}

export interface Service extends AsyncDisposable {
  readonly port: number;
  readonly log: Logger;
  /** Logs and reports an error that nothing caught. */
  reportFatal(error: unknown): void;
  /** Drains and stops the service. A second call stops it at once. */
  close(): Promise<void>;
}

/** Starts the service; resolves once it accepts requests. Throws a ConfigError where it can't listen. */
export async function startService(config: Config, options: ServiceOptions = {}): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const {
    versionFile = new URL("../version.json", import.meta.url),
    maxWarmUpMs = 1000,
    warnings = [],
    memoryLimit,
  } = options;
  const logs = await createLogs(config.observability, options.logDestination ?? standardOutput(starting));
  const metrics = starting.use(new Metrics(config.observability));
  const release = await readRelease(versionFile);
  const errorReporting = starting.use(await startErrorReporting(config.observability, release, metrics));
  logs.app.info(loggable(config), "configuration");
  for (const warning of warnings) logs.app.warn(warning);
  if (memoryLimit) logMemory(config, memoryLimit, logs.app);

  const sources = config.sources.urls.map((url) => starting.use(createSource(url, config.sources)));
  const { maxBodiesBytes } = config.server;
  const admission = new Admission(config.server, (1 - bulkMemoryPart) * maxBodiesBytes);
  const bulkAdmission = new Admission(config.server, bulkMemoryPart * maxBodiesBytes);
  const isCrowded = () => admission.isCrowded();
  const engine = starting.use(await startEngine({ config, sources, metrics, log: logs.app, isCrowded }));
  const { diskCache, converters, lookups, resolver } = engine;

  let draining = false;
  const ending = new AbortController();
  const parts = {
    config: config.server,
    maxCacheBytes: config.diskCache.maxBytes,
    admission,
    bulkAdmission,
    parser: starting.use(new Parser()),
    health: new HealthCheck(
      healthChecks(engine, sources, {
        queues: {
          requests: () => Math.max(admission.fill, bulkAdmission.fill),
          downloads: () => resolver.waiting / Math.max(1, config.sources.maxQueuedDownloads),
        },
        stalledClients: () => admission.stalledClients + bulkAdmission.stalledClients,
      }),
    ),
    cacheCounts: () => ({ ...diskCache.contents, ...resolver.counts }),
    versionFile,
    isDraining: () => draining,
    openTemporaryFile: () => diskCache.openTemporaryFile(),
    ending: ending.signal,
    reportError(error: unknown, request: Parameters<ReportError>[1]) {
      logs.app.error({ err: error, path: request.path }, "request failed");
      errorReporting.report(error, request);
    },
  };
  if (maxWarmUpMs > 0) {
    const timeout = AbortSignal.timeout(maxWarmUpMs);
    const warmingUp = warmUp({ ...parts, settings: config, converters, lookups }, timeout).catch(
      (err: unknown) => logs.app.warn({ err }, "warm-up failed"),
    );
    starting.defer(() => warmingUp);
    // After the timeout it goes on beside the first requests.
    await Promise.race([Promise.all([warmingUp, readAhead(diskCache, lookups)]), once(timeout, "abort")]);
  }
  const app = createApp({ ...parts, resolver, metrics, requestLog: logs.requests });
  const maxConnections = await limitConnections(config, logs.app);
  const http = createHttpServer(app, { ...config.server, maxConnections });
  await listen(http.server, config.server);
  const { port } = http.server.address() as AddressInfo;
  logs.app.info({ port }, `listening on http://${config.server.host}:${port}`);

  const running = starting.move();
  const stopNow = new AbortController();
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
        stopNow.abort();
        return closed;
      }
      draining = true;
      logs.app.info("closing");
      closed = drain(http, config.server, stopNow.signal, ending).then(() => running.disposeAsync());
      return closed;
    },
    [Symbol.asyncDispose]: () => service.close(),
  };
  return service;
}

function logMemory(config: Config, limit: MemoryLimit, log: Logger): void {
  const { server, lookup, conversion } = config;
  const memory = {
    limitBytes: limit.bytes,
    limitedBy: limit.source,
    plannedBytes: plannedMemory(config),
    ELIOT_MAX_BODIES_SIZE: server.maxBodiesBytes,
    ELIOT_LOOKUP_MEMORY: lookup.memoryBytes,
    ELIOT_CONVERTERS: conversion.threads,
    ELIOT_CONVERTER_MEMORY: conversion.maxMemoryBytes,
  };
  if (memory.plannedBytes <= limit.bytes) log.info(memory, "memory plan");
  else log.warn(memory, "the memory limit is too low for these settings: the kernel may kill the service");
}

/** How many connections of clients the process has file handles for. */
async function limitConnections(config: Config, log: Logger): Promise<number> {
  const handles = await shareFileHandles(config, maxOpenFiles);
  const { allowed, required, maxConnections } = handles;
  if (allowed < required)
    log.error(handles, "the limit of open files (ulimit -n) is too low: lookups and downloads may fail");
  else if (maxConnections < config.server.maxConnections)
    log.warn(handles, "the limit of open files (ulimit -n) leaves room for fewer connections than usual");
  return maxConnections;
}

function listen(server: Server, { port, host }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new ConfigError(`can't listen on ${host}:${port} (ELIOT_HOST, PORT): ${cause.message}`, { cause }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** `<version>:<commit>`, for Sentry. */
async function readRelease(versionFile: string | URL): Promise<string> {
  const text = await readFile(versionFile, "utf8").catch(() => "{}");
  const { version = "none", commit = "unknown" } = JSON.parse(text) as { version?: string; commit?: string };
  return `${version}:${commit.slice(0, 8)}`;
}

/** Fill of a queue, from 0 to 1, from which the heartbeat warns. */
const nearlyFull = 0.8;

interface Load {
  /** How full each of them is, from 0 to 1. */
  queues: Record<string, () => number>;
  stalledClients: () => number;
}

function healthChecks(
  { diskCache, lookups, converters, sharedCache }: Engine,
  sources: Source[],
  { queues, stalledClients }: Load,
): Check[] {
  return [
    { name: "cache_folder", level: "error", check: () => diskCache.checkWritable() },
    { name: "disk_space", level: "warning", check: () => diskCache.checkSpace() },
    { name: "lookup_threads", level: "error", check: () => lookups.selfTest() },
    { name: "converter_threads", level: "error", check: () => converters.selfTest() },
    {
      name: "sources",
      level: "warning",
      check: async () => {
        const faults = sources.flatMap(({ address, fault }) => (fault ? [`${address}: ${fault}`] : []));
        if (faults.length > 0) throw new Error(faults.join("; "));
      },
    },
    {
      name: "shared_cache",
      level: "warning",
      check: async () => {
        if (sharedCache?.fault !== undefined) throw new Error(sharedCache.fault);
      },
    },
    {
      name: "queues",
      level: "warning",
      check: async () => {
        const full = Object.keys(queues).filter((name) => (queues[name]?.() ?? 0) > nearlyFull);
        if (full.length > 0) throw new Error(`nearly full: ${full.join(", ")}`);
      },
    },
    {
      name: "clients",
      level: "ok",
      check: async () => {
        const stalled = stalledClients();
        if (stalled > 0)
          throw new Error(
            `${stalled} make no progress, and will be disconnected when others need their memory`,
          );
      },
    },
  ];
}
