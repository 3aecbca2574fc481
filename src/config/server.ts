import { z } from "zod";
import { integer, nonempty, seconds, size } from "./formats.ts";
import { constant, setting } from "./setting.ts";

/** The address and the limits of the HTTP server. */
export const ServerSettings = z.object({
  port: setting("PORT", integer(0, 65_535), "8000", "TCP port to listen on"),
  host: setting(
    "ELIOT_HOST",
    nonempty,
    "127.0.0.1",
    "address to listen on; the container image sets `0.0.0.0` (every interface)",
  ),
  maxRequests: setting(
    "ELIOT_MAX_REQUESTS",
    integer(2, 1_000_000),
    "1000",
    "maximum number of symbolication requests in flight; further ones get 503. While more than half of them are in use, modules that aren't in the disk cache are `overloaded`",
  ),
  maxBodiesBytes: setting(
    "ELIOT_MAX_BODIES_SIZE",
    size("1kb"),
    "1gb",
    "memory for the bodies, lookup results and responses of all requests in flight, a quarter of it for bulk requests; requests that don't fit get 503, results that don't fit make modules `overloaded`",
  ),
  maxBodyBytes: setting(
    "ELIOT_MAX_BODY_SIZE",
    size("1kb"),
    "20mb",
    "maximum size of one request body, both as sent and decompressed",
  ),
  bulkSpoolBytes: setting(
    "ELIOT_BULK_SPOOL",
    size("1mb"),
    "1gb",
    "disk space for the responses of `/symbolicate/bulk` clients that send but don't read yet; streams that need more are ended",
  ),
  drainDelayMs: setting(
    "ELIOT_DRAIN_DELAY",
    seconds(0),
    "0",
    "seconds to keep accepting requests after SIGTERM, while the load balancer notices",
  ),
  drainTimeoutMs: setting(
    "ELIOT_DRAIN_TIMEOUT",
    seconds(0),
    "30",
    "seconds to finish accepted requests after SIGTERM",
  ),
  /** Limits the warm-up before the service listens, counted from the start of the process; 0 disables the warm-up. */
  maxStartMs: constant(1_800),
  /** For a client to send its whole request. */
  requestTimeoutMs: constant(120_000),
  /** For a client to read its whole response. */
  responseTimeoutMs: constant(300_000),
  /** After so long without progress, a client that is waited for loses its memory to others that need it. */
  maxStallMs: constant(10_000),
  /** For an idle connection. It must exceed the idle timeout of the load balancer in front. */
  keepAliveTimeoutMs: constant(620_000),
  maxConnections: constant(10_000),
  maxResponseBytes: constant(200e6),
});
export type ServerSettings = z.infer<typeof ServerSettings>;
