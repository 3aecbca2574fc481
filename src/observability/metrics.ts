import { isIP } from "node:net";
import { StatsD } from "hot-shots";
import type { ObservabilitySettings } from "../config/observability.ts";
import { rememberingLookup } from "./cachingLookup.ts";

/** Every metric: its type, its tags (apart from `host`) and what it says. Times are in milliseconds. */
export const catalogue = {
  pageview: { type: "counter", tags: ["path", "method"], meaning: "a request for a path that exists" },
  "symbolicate.api": {
    type: "timing",
    tags: ["version"],
    meaning: "time from a request's headers to its answer",
  },
  "symbolicate.request_error": {
    type: "counter",
    tags: ["reason"],
    meaning: "a request refused: `bad_json`, `invalid_modules`, `invalid_stacks` or `too_many_jobs`",
  },
  "symbolicate.refused": {
    type: "counter",
    tags: ["reason"],
    meaning: "a request answered with 503: `requests` or `bodies` were at their bound",
  },
  "symbolicate.overloaded": {
    type: "counter",
    tags: [],
    meaning: "a module left out of an answer, for too much was under way to make its symcache",
  },
  "symbolicate.jobs_count": { type: "histogram", tags: ["version"], meaning: "jobs of a request" },
  "symbolicate.stacks_count": { type: "histogram", tags: ["version"], meaning: "stacks of a job" },
  "symbolicate.frames_count": { type: "histogram", tags: [], meaning: "frames of a request" },
  "bulk.stream": {
    type: "timing",
    tags: ["end"],
    meaning:
      "time from a bulk request's headers to its last line: `whole`; `failed`, ended by an error line; `left`, by the client; or `refused`",
  },
  "bulk.lines": {
    type: "counter",
    tags: ["result"],
    meaning: "lines of bulk requests: `answered` or `bad`",
  },
  "symbolicate.parse_sym_file.parse": {
    type: "timing",
    tags: [],
    meaning: "time to convert a sym file; it overlaps the download",
  },
  "symbolicate.parse_sym_file.error": {
    type: "counter",
    tags: ["reason"],
    meaning:
      "a sym file that could not be converted: `bad_debug_id`, `sym_debug_id_lookup_error` or `sym_malformed`",
  },
  "downloader.download": {
    type: "histogram",
    tags: ["response"],
    meaning: "time to get a sym file from a source: `success` or `fail`",
  },
  "downloader.queue": {
    type: "gauge",
    tags: [],
    meaning: "modules that wait for their download to begin",
  },
  "diskcache.get": {
    type: "histogram",
    tags: ["result"],
    meaning:
      "time to find a symcache in the folder and look in it: `hit`, `miss` or, where it was damaged or the disk failed, `error`",
  },
  "diskcache.set": {
    type: "histogram",
    tags: ["result"],
    meaning: "time to write a symcache to the folder: `success` or `fail`",
  },
  "diskcache.evict": {
    type: "counter",
    tags: [],
    meaning: "a symcache removed to keep the folder under its size",
  },
  "diskcache.usage": { type: "gauge", tags: [], meaning: "bytes of symcaches in the folder" },
  "sharedcache.get": {
    type: "histogram",
    tags: ["result"],
    meaning:
      "time to get a symcache from the shared cache into the folder: `hit`; `miss`, it has none; `bad`, it has something else; `fail`, the store or the disk failed; or `skipped`, the store failed too often to be asked",
  },
  "sharedcache.put": {
    type: "histogram",
    tags: ["result"],
    meaning:
      "time to pack a symcache and put it into the shared cache: `stored`; `known`, another instance was first; `gone`, it was evicted before; `fail`; or `skipped`, as above or for want of room in the queue",
  },
  "sharedcache.bytes": {
    type: "counter",
    tags: ["direction"],
    meaning: "bytes of packed symcaches: `received` or `sent`",
  },
  "sharedcache.queue": {
    type: "gauge",
    tags: [],
    meaning: "symcaches that wait to be put into the shared cache, with the one that is being put",
  },
  "sharedcache.left_alone": {
    type: "gauge",
    tags: [],
    meaning: "1 while the store is not asked for symcaches, since it failed too often; else 0",
  },
  sentry_scrub_error: {
    type: "counter",
    tags: ["service"],
    meaning: "an error report that could not be scrubbed, and was not sent",
  },
} as const satisfies Record<string, { type: MetricType; tags: readonly string[]; meaning: string }>;

type MetricType = "counter" | "timing" | "histogram" | "gauge";
type Catalogue = typeof catalogue;
export type MetricName = keyof Catalogue;
type NameOf<Type extends MetricType> = {
  [Name in MetricName]: Catalogue[Name]["type"] extends Type ? Name : never;
}[MetricName];
type Tags<Name extends MetricName> = { [Tag in Catalogue[Name]["tags"][number]]: string };

/** Bytes of a datagram that no network has to split, and milliseconds that a metric waits for others to fill one with. */
const datagramBytes = 1432;
const longestWait = 100;

/** Sends metrics to statsd as DogStatsD datagrams of one or more lines. Never throws and never waits: statsd may be away. */
export class Metrics implements AsyncDisposable {
  readonly #statsd: StatsD;

  /** `mock`: sends nothing. */
  constructor(
    config: Pick<ObservabilitySettings, "statsdHost" | "statsdPort" | "hostname">,
    { mock = false }: { mock?: boolean } = {},
  ) {
    this.#statsd = new StatsD({
      host: config.statsdHost,
      port: config.statsdPort,
      prefix: "eliot.",
      globalTags: { host: config.hostname },
      maxBufferSize: datagramBytes,
      bufferFlushInterval: longestWait,
      // An address needs none, and is sent to as it is.
      ...(isIP(config.statsdHost) === 0 && {
        udpSocketOptions: { type: "udp4", lookup: rememberingLookup() },
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
