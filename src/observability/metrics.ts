import { isIP } from "node:net";
import { StatsD } from "hot-shots";
import type { ObservabilitySettings } from "../config/observability.ts";
import { createCachingLookup } from "./cachingLookup.ts";

type MetricType = "counter" | "timing" | "histogram" | "gauge";

function metric<Type extends MetricType, Tag extends string = never>(
  type: Type,
  meaning: string,
  ...tags: Tag[]
) {
  return { type, meaning, tags };
}

/** Every metric: its type, what it measures, and its tags besides `host`. Times are in milliseconds. */
export const catalogue = {
  pageview: metric("counter", "requests for existing paths", "path", "method"),
  "symbolicate.api": metric("timing", "time from a request's headers to its response", "version"),
  "symbolicate.request_error": metric(
    "counter",
    "rejected requests: `bad_json`, `invalid_modules`, `invalid_stacks` or `too_many_jobs`",
    "reason",
  ),
  "symbolicate.refused": metric(
    "counter",
    "503 responses: the limit for `requests` or `bodies` was reached",
    "reason",
  ),
  "symbolicate.overloaded": metric(
    "counter",
    "modules left without symbols because too many symcaches were being created",
  ),
  "symbolicate.jobs_count": metric("histogram", "jobs per request", "version"),
  "symbolicate.stacks_count": metric("histogram", "stacks per job", "version"),
  "symbolicate.frames_count": metric("histogram", "frames per request"),
  "bulk.stream": metric(
    "timing",
    "time from a bulk request's headers to its last line: `whole`; `failed`, ended by an error line; `left`, the client disconnected; or `refused`",
    "end",
  ),
  "bulk.lines": metric("counter", "lines of bulk requests: `answered` or `bad`", "result"),
  "symbolicate.parse_sym_file.parse": metric(
    "timing",
    "time to convert a sym file, which overlaps its download",
  ),
  "symbolicate.parse_sym_file.error": metric(
    "counter",
    "sym files that could not be converted: `bad_debug_id`, `sym_debug_id_lookup_error` or `sym_malformed`",
    "reason",
  ),
  "downloader.download": metric(
    "histogram",
    "time to download a sym file from a source: `success` or `fail`",
    "response",
  ),
  "downloader.queue": metric("gauge", "modules waiting for their download to start"),
  "diskcache.get": metric(
    "histogram",
    "time to find a symcache in the disk cache and look offsets up in it: `hit`, `miss`, or `error` if it was damaged or the disk failed",
    "result",
  ),
  "diskcache.set": metric(
    "histogram",
    "time to write a symcache to the disk cache: `success` or `fail`",
    "result",
  ),
  "diskcache.evict": metric("counter", "symcaches evicted to keep the disk cache under its maximum size"),
  "diskcache.usage": metric("gauge", "bytes of symcaches in the disk cache"),
  "sharedcache.get": metric(
    "histogram",
    "time to copy a symcache from the shared cache to the disk cache: `hit`; `miss`; `bad`, the object is damaged or of another format; `fail`, the store or the disk failed; or `skipped`, the circuit breaker is open",
    "result",
  ),
  "sharedcache.put": metric(
    "histogram",
    "time to compress a symcache and upload it to the shared cache: `stored`; `known`, another instance was first; `gone`, it was evicted before; `fail`; or `skipped`, the circuit breaker is open or the upload queue is full",
    "result",
  ),
  "sharedcache.bytes": metric("counter", "bytes of compressed symcaches: `received` or `sent`", "direction"),
  "sharedcache.queue": metric(
    "gauge",
    "symcaches waiting for their upload to the shared cache, including the one being uploaded",
  ),
  "sharedcache.left_alone": metric(
    "gauge",
    "1 while the circuit breaker for reads from the shared cache is open, otherwise 0",
  ),
  sentry_scrub_error: metric(
    "counter",
    "error reports that were not sent because they could not be scrubbed",
    "service",
  ),
};

type Catalogue = typeof catalogue;
export type MetricName = keyof Catalogue;
type NameOf<Type extends MetricType> = {
  [Name in MetricName]: Catalogue[Name]["type"] extends Type ? Name : never;
}[MetricName];
type Tags<Name extends MetricName> = Record<Catalogue[Name]["tags"][number], string>;

/** A datagram of this size fits into one packet on any network. */
const maxDatagramBytes = 1432;
const flushIntervalMs = 100;

/** Sends metrics to statsd, several per DogStatsD datagram. Never throws and never waits: statsd may be down. */
export class Metrics implements AsyncDisposable {
  readonly #statsd: StatsD;

  /** With `mock`, sends nothing. */
  constructor(
    config: Pick<ObservabilitySettings, "statsdHost" | "statsdPort" | "hostname">,
    { mock = false }: { mock?: boolean } = {},
  ) {
    this.#statsd = new StatsD({
      host: config.statsdHost,
      port: config.statsdPort,
      prefix: "eliot.",
      globalTags: { host: config.hostname },
      maxBufferSize: maxDatagramBytes,
      bufferFlushInterval: flushIntervalMs,
      // An IP address needs no lookup, and may be IPv6.
      ...(isIP(config.statsdHost) === 0 && {
        udpSocketOptions: { type: "udp4", lookup: createCachingLookup() },
      }),
      mock,
      errorHandler: () => {},
    });
  }

  increment<Name extends NameOf<"counter">>(name: Name, tags: Tags<Name>, count = 1): void {
    if (count > 0) this.#statsd.increment(name, count, tags);
  }

  timing<Name extends NameOf<"timing">>(name: Name, milliseconds: number, tags: Tags<Name>): void {
    this.#statsd.timing(name, milliseconds, tags);
  }

  histogram<Name extends NameOf<"histogram">>(name: Name, value: number, tags: Tags<Name>): void {
    this.#statsd.histogram(name, value, tags);
  }

  gauge(name: NameOf<"gauge">, value: number): void {
    this.#statsd.gauge(name, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#statsd.close(() => resolve()));
  }
}
