import { hostname } from "node:os";
import { z } from "zod";

/** A configuration value is missing or bad. The message is one line that names the variable. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const decimal = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const binary = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };
const bytesPerUnit: Record<string, number> = { "": 1, ...decimal, ...binary };

/** `1gb`, `1_000`, `512 MiB` → bytes. */
const size = z.string().transform((text, context) => {
  const match = /^([0-9_]+(?:\.[0-9]+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = bytesPerUnit[match?.[2]?.toLowerCase() ?? ""];
  const bytes = Number(match?.[1]?.replaceAll("_", "")) * (unit ?? NaN);
  if (Number.isSafeInteger(Math.round(bytes)) && bytes >= 1) return Math.round(bytes);
  context.addIssue("is not a size such as 500mb, 1gb or 1_000_000");
  return z.NEVER;
});

function seconds(minimum: number) {
  return z.string().transform((text, context) => {
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text.trim()) ? Number(text) : NaN;
    if (value >= minimum && value <= 86_400) return value * 1000;
    context.addIssue(`is not a number of seconds from ${minimum} to 86400`);
    return z.NEVER;
  });
}

function whole(minimum: number, maximum: number) {
  return z.string().transform((text, context) => {
    const value = /^[0-9]+$/.test(text.trim()) ? Number(text) : NaN;
    if (value >= minimum && value <= maximum) return value;
    context.addIssue(`is not a whole number from ${minimum} to ${maximum}`);
    return z.NEVER;
  });
}

const flag = z.string().transform((text, context) => {
  const value = { true: true, yes: true, "1": true, false: false, no: false, "0": false, "": false }[
    text.trim().toLowerCase()
  ];
  if (value !== undefined) return value;
  context.addIssue("is neither true nor false");
  return z.NEVER;
});

/** Addresses in a text, without what may be a password or a token in them. */
function masked(text: string): string {
  return text.replaceAll(/\/\/[^,\s]*@/g, "//***@").replaceAll(/[?#][^,\s]*/g, "?***");
}

const sources = z.string().transform((text, context) => {
  const parts = text.split(",").map((part) => part.trim());
  const urls = parts.filter((part) => part !== "");
  for (const url of urls) {
    if (/[?#]/.test(url)) {
      context.addIssue("has a query or a fragment, which are not sent");
      return z.NEVER;
    }
    if (!/^(https?|file):\/\//.test(url) || !URL.canParse(url)) {
      context.addIssue(`has "${masked(url)}", which is no https://, http:// or file:/// address`);
      return z.NEVER;
    }
    const { username, password } = new URL(url);
    if (username !== "" || password !== "") {
      context.addIssue("has a user name or a password, which are not sent");
      return z.NEVER;
    }
    if (url.startsWith("file:") && (new URL(url).host !== "" || /%2f/i.test(url))) {
      context.addIssue(`has ${JSON.stringify(url)}: a folder is written file:///folder`);
      return z.NEVER;
    }
  }
  if (urls.length > 0) return urls;
  context.addIssue("names no source of symbols");
  return z.NEVER;
});

const bucket = z.string().transform((text, context) => {
  const [, name = "", prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(\/[\w/.-]*)?$/.exec(text) ?? [];
  const folders = prefix.replace(/^\/+|\/+$/g, "");
  // An address would lead elsewhere by `..`, and stores differ in what they make of the others.
  const isPlain = folders === "" || folders.split("/").every((folder) => !["", ".", ".."].includes(folder));
  if ((name !== "" || text === "") && isPlain) return { name, prefix: folders };
  context.addIssue("is not s3://bucket or s3://bucket/prefix");
  return z.NEVER;
});

const endpoint = z
  .string()
  .refine(
    (text) => text === "" || isOrigin(text),
    "is not an address such as https://host or http://host:9000",
  );

/** As people write it: `https://Store:443/` is one. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[^\s/\\?#@]+\/?$/i.test(text) && URL.canParse(text);
}

const region = z
  .string()
  .trim()
  .regex(/^[\w-]+$/, "is not a region such as eu-west-1");

/** Of a secret that was made of a file, the line break at its end often comes along. */
const awsKey = z.string().trim();

/** `https://<key>@<host>/<project>`, as Sentry shows it. */
const dsnPattern = /^(https?:\/\/\w+(:\w*)?@[^/]+\/(.+\/)?[0-9]+)?$/;

/** Every environment variable that is read: its form, its default, and what it means (the README's table is made from this). */
export const Environment = z.object({
  PORT: whole(0, 65_535).prefault("8000").describe("port to listen on"),
  ELIOT_HOST: z
    .string()
    .prefault("127.0.0.1")
    .describe("address to listen on; the image sets `0.0.0.0`, all of the container's"),
  ELIOT_SYMBOLS_URLS: sources
    .prefault("https://symbols.mozilla.org/try/")
    .describe(
      "sources of sym files in order, comma-separated: `https://`, `http://`, or `file:///folder` laid out the same way, `X.sym` or else `X.sym.gz`",
    ),
  ELIOT_SYMBOLS_CACHE_DIR: z
    .string()
    .min(1, "is empty")
    .prefault("/tmp/cache")
    .describe("folder of symcaches"),
  ELIOT_SYMBOLS_CACHE_MAX_SIZE: size
    .prefault("1gb")
    .describe(
      "most bytes the folder may hold; `kb` to `tb` are decimal, `kib` to `tib` binary, `_` is allowed",
    ),
  ELIOT_SYMBOLS_CACHE_RESCAN: seconds(0.01)
    .prefault("60")
    .describe("seconds between looks at what other processes did in the folder"),
  ELIOT_SHARED_CACHE_URL: bucket
    .prefault("")
    .describe(
      "`s3://bucket` or `s3://bucket/prefix` in which instances share their symcaches; empty: they don't. See docs/caching.md",
    ),
  ELIOT_SHARED_CACHE_ENDPOINT: endpoint
    .prefault("")
    .describe("address of an S3-compatible store, such as `http://minio:9000`; empty: Amazon S3"),
  ELIOT_SHARED_CACHE_PATIENCE: seconds(0.001)
    .prefault("2")
    .describe("seconds to connect to the store, until it answers, and between two pieces of what it sends"),
  ELIOT_SHARED_CACHE_TIMEOUT: seconds(0.001)
    .prefault("10")
    .describe("seconds that a symcache may take from the store to the folder; after that it is converted"),
  AWS_REGION: region.prefault("us-east-1").describe("the store's region"),
  AWS_ACCESS_KEY_ID: awsKey
    .prefault("")
    .describe("the store's key; empty: as AWS's tools find it, from profiles or the role of the machine"),
  AWS_SECRET_ACCESS_KEY: awsKey.prefault("").describe("the secret that belongs to it"),
  AWS_SESSION_TOKEN: awsKey.prefault("").describe("the token of a temporary key"),
  ELIOT_STATSD_HOST: z.string().min(1, "is empty").prefault("localhost").describe("statsd server"),
  ELIOT_STATSD_PORT: whole(1, 65_535).prefault("8124").describe("statsd server's UDP port"),
  ELIOT_LOGGING_LEVEL: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(
      z.enum(
        ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        "is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
      ),
    )
    .prefault("INFO")
    .describe("least severity that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL`"),
  ELIOT_SECRET_SENTRY_DSN: z
    .string()
    .refine((text) => dsnPattern.test(text), "is not a DSN")
    .prefault("")
    .describe("where errors are reported; Sentry is used only where this is set"),
  ELIOT_HOSTNAME: z
    .string()
    .prefault("")
    .describe("`host` tag of metrics, server name in Sentry; empty: the host's name"),
  ELIOT_LOCAL_DEV_ENV: flag.prefault("false").describe("log lines for a person instead of mozlog JSON"),
  ELIOT_REQUEST_TIMEOUT: seconds(0.001)
    .prefault("120")
    .describe("seconds a client may take to send its request"),
  ELIOT_ANSWER_TIMEOUT: seconds(0.001)
    .prefault("300")
    .describe("seconds a client may take to receive its answer once that is ready"),
  ELIOT_KEEP_ALIVE_TIMEOUT: seconds(0.001)
    .prefault("620")
    .describe("seconds to keep a connection without a request: longer than the load balancer does"),
  ELIOT_MAX_CONNECTIONS: whole(1, 1_000_000)
    .prefault("10000")
    .describe("most connections of clients at a time; more are closed at once"),
  ELIOT_MAX_REQUESTS: whole(2, 1_000_000)
    .prefault("1000")
    .describe(
      "most requests for symbols at a time, more get 503; while there are over half as many, modules that are not in the folder are `overloaded`",
    ),
  ELIOT_MAX_BODIES_SIZE: size
    .prefault("1gb")
    .describe(
      "most bytes of the bodies of all these requests, decompressed, and of their answers; more get 503",
    ),
  ELIOT_MAX_BODY_SIZE: size
    .prefault("20mb")
    .describe("most bytes of a request's body, as sent and decompressed"),
  ELIOT_MAX_ANSWER_SIZE: size.prefault("200mb").describe("most bytes of an answer"),
  ELIOT_BULK_SPOOL: size
    .prefault("1gb")
    .describe(
      "most bytes of answers that wait on disk for clients which send to `/symbolicate/bulk` and don't read yet; for more, their streams end",
    ),
  ELIOT_MAX_SYM_FILE_SIZE: size.prefault("4gb").describe("most bytes of a sym file, decompressed"),
  ELIOT_MAX_DOWNLOAD_SIZE: size
    .prefault("2gb")
    .describe("most bytes of a sym file as it is sent, compressed or not"),
  ELIOT_MAX_DOWNLOADS: whole(1, 1000)
    .prefault("12")
    .describe("sym files that are asked for or downloaded at the same time"),
  ELIOT_DOWNLOAD_QUEUE: whole(0, 1_000_000)
    .prefault("1000")
    .describe("most modules that wait for that; more are `overloaded`"),
  ELIOT_CONNECT_TIMEOUT: seconds(0.001).prefault("5").describe("seconds to connect to a symbol server"),
  ELIOT_HEADERS_TIMEOUT: seconds(0.001).prefault("20").describe("seconds until a symbol server answers"),
  ELIOT_STALL_TIMEOUT: seconds(0.001).prefault("20").describe("seconds between two pieces of a download"),
  ELIOT_DOWNLOAD_TIMEOUT: seconds(0.001)
    .prefault("300")
    .describe("seconds for a whole download, without waiting for the converter"),
  ELIOT_DOWNLOAD_ATTEMPTS: whole(1, 10)
    .prefault("3")
    .describe("how often a source is asked for a sym file while that fails in a way that may pass"),
  ELIOT_BREAKER_COOLDOWN: seconds(0.001)
    .prefault("15")
    .describe("seconds that a source is left alone after five failures in a row"),
  ELIOT_CONVERSION_TIMEOUT: seconds(0.001)
    .prefault("60")
    .describe("seconds a converter may work without taking its next piece"),
  ELIOT_CONVERSION_TOTAL_TIMEOUT: seconds(0.001)
    .prefault("120")
    .describe("seconds that a converter may work on a sym file in all, without waiting for its text"),
  ELIOT_NOT_FOUND_TTL: seconds(0)
    .prefault("600")
    .describe("seconds that a missing or malformed sym file is remembered"),
  ELIOT_DOWNLOAD_FAILED_TTL: seconds(0)
    .prefault("5")
    .describe("seconds that a failed download is remembered"),
  ELIOT_CONVERTERS: whole(1, 64)
    .prefault("3")
    .describe("sym files converted at the same time, each in a thread"),
  ELIOT_CONVERTER_MEMORY: size
    .prefault("3gb")
    .describe("most bytes of memory that the conversion of a sym file may take"),
  ELIOT_LOOKUP_WORKERS: whole(1, 64).prefault("2").describe("threads that look offsets up"),
  ELIOT_LOOKUP_MEMORY: size
    .prefault("1gb")
    .describe("bytes of symcaches that these threads hold in memory, in all; at least 8 MB each"),
  ELIOT_LOOKUP_TIMEOUT: seconds(0.001)
    .prefault("60")
    .describe("seconds that such a thread may work without giving an answer"),
  ELIOT_DRAIN_DELAY: seconds(0).prefault("0").describe("seconds to keep accepting requests after SIGTERM"),
  ELIOT_DRAIN_TIMEOUT: seconds(0)
    .prefault("30")
    .describe("seconds to finish what was accepted after SIGTERM"),
});

export type Config = ReturnType<typeof readConfig>;

/**
 * The configuration that `env` asks for: sizes in bytes, durations in milliseconds.
 * An empty variable counts as absent. Throws a ConfigError.
 */
export function readConfig(env: Record<string, string | undefined>) {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const result = Environment.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    const variable = String(issue?.path[0]);
    const isSecret = /SECRET|TOKEN|PASSWORD|KEY/.test(variable);
    const shown = isSecret ? "" : `: ${JSON.stringify(masked(given[variable] ?? ""))}`;
    throw new ConfigError(`${variable} ${issue?.message}${shown}`);
  }
  const values = result.data;
  checkKey(values);
  return {
    port: values.PORT,
    host: values.ELIOT_HOST,
    sources: values.ELIOT_SYMBOLS_URLS,
    cacheFolder: values.ELIOT_SYMBOLS_CACHE_DIR,
    cacheMaxBytes: values.ELIOT_SYMBOLS_CACHE_MAX_SIZE,
    cacheRescan: values.ELIOT_SYMBOLS_CACHE_RESCAN,
    sharedCacheBucket: values.ELIOT_SHARED_CACHE_URL,
    sharedCacheEndpoint: values.ELIOT_SHARED_CACHE_ENDPOINT,
    sharedCachePatience: values.ELIOT_SHARED_CACHE_PATIENCE,
    sharedCacheTimeout: values.ELIOT_SHARED_CACHE_TIMEOUT,
    awsRegion: values.AWS_REGION,
    awsAccessKeyId: values.AWS_ACCESS_KEY_ID,
    awsSecretAccessKey: values.AWS_SECRET_ACCESS_KEY,
    awsSessionToken: values.AWS_SESSION_TOKEN,
    statsdHost: values.ELIOT_STATSD_HOST,
    statsdPort: values.ELIOT_STATSD_PORT,
    logLevel: values.ELIOT_LOGGING_LEVEL,
    sentryDsn: values.ELIOT_SECRET_SENTRY_DSN,
    hostname: values.ELIOT_HOSTNAME || hostname(),
    localDevelopment: values.ELIOT_LOCAL_DEV_ENV,
    requestTimeout: values.ELIOT_REQUEST_TIMEOUT,
    answerTimeout: values.ELIOT_ANSWER_TIMEOUT,
    keepAliveTimeout: values.ELIOT_KEEP_ALIVE_TIMEOUT,
    maxConnections: values.ELIOT_MAX_CONNECTIONS,
    maxRequests: values.ELIOT_MAX_REQUESTS,
    maxBodiesBytes: values.ELIOT_MAX_BODIES_SIZE,
    maxBodyBytes: values.ELIOT_MAX_BODY_SIZE,
    maxAnswerBytes: values.ELIOT_MAX_ANSWER_SIZE,
    bulkSpoolBytes: values.ELIOT_BULK_SPOOL,
    maxSymFileBytes: values.ELIOT_MAX_SYM_FILE_SIZE,
    maxDownloadBytes: values.ELIOT_MAX_DOWNLOAD_SIZE,
    maxDownloads: values.ELIOT_MAX_DOWNLOADS,
    downloadQueue: values.ELIOT_DOWNLOAD_QUEUE,
    connectTimeout: values.ELIOT_CONNECT_TIMEOUT,
    headersTimeout: values.ELIOT_HEADERS_TIMEOUT,
    stallTimeout: values.ELIOT_STALL_TIMEOUT,
    downloadTimeout: values.ELIOT_DOWNLOAD_TIMEOUT,
    downloadAttempts: values.ELIOT_DOWNLOAD_ATTEMPTS,
    breakerCooldown: values.ELIOT_BREAKER_COOLDOWN,
    conversionTimeout: values.ELIOT_CONVERSION_TIMEOUT,
    conversionTotalTimeout: values.ELIOT_CONVERSION_TOTAL_TIMEOUT,
    notFoundTtl: values.ELIOT_NOT_FOUND_TTL,
    downloadFailedTtl: values.ELIOT_DOWNLOAD_FAILED_TTL,
    converters: values.ELIOT_CONVERTERS,
    converterMemory: values.ELIOT_CONVERTER_MEMORY,
    lookupWorkers: values.ELIOT_LOOKUP_WORKERS,
    lookupMemory: values.ELIOT_LOOKUP_MEMORY,
    lookupTimeout: values.ELIOT_LOOKUP_TIMEOUT,
    drainDelay: values.ELIOT_DRAIN_DELAY,
    drainTimeout: values.ELIOT_DRAIN_TIMEOUT,
  };
}

/** Throws a ConfigError for half a key, which no store takes. Without a store nobody needs it. */
function checkKey({
  ELIOT_SHARED_CACHE_URL,
  AWS_ACCESS_KEY_ID,
  AWS_SECRET_ACCESS_KEY,
}: z.infer<typeof Environment>): void {
  if (ELIOT_SHARED_CACHE_URL.name === "") return;
  if (AWS_ACCESS_KEY_ID !== "" && AWS_SECRET_ACCESS_KEY === "")
    throw new ConfigError("AWS_SECRET_ACCESS_KEY is empty, but AWS_ACCESS_KEY_ID is not");
  if (AWS_ACCESS_KEY_ID === "" && AWS_SECRET_ACCESS_KEY !== "")
    throw new ConfigError("AWS_ACCESS_KEY_ID is empty, but AWS_SECRET_ACCESS_KEY is not");
}

/** The configuration as it may be logged. */
export function withoutSecrets(config: Config): object {
  const { sentryDsn, awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = config;
  const { name, prefix } = config.sharedCacheBucket;
  return {
    ...config,
    sentryDsn: sentryDsn && "***",
    awsAccessKeyId: awsAccessKeyId && "***",
    awsSecretAccessKey: awsSecretAccessKey && "***",
    awsSessionToken: awsSessionToken && "***",
    sources: config.sources.join(","),
    sharedCacheBucket: name && `s3://${name}/${prefix}`,
  };
}
