import { z } from "zod";
import { flag, integer, nonempty } from "./formats.ts";
import { setting } from "./setting.ts";

const logLevels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

const logLevel = z
  .string()
  .transform((text) => text.toUpperCase())
  .pipe(z.enum(logLevels, `is not one of ${logLevels.join(", ")}`));

/** `https://<key>@<host>/<project>`, as Sentry shows it. */
const dsn = z
  .string()
  .refine((text) => /^(https?:\/\/\w+(:\w*)?@[^/]+\/(.+\/)?[0-9]+)?$/.test(text), "is not a DSN");

/** Logs, metrics and error reports. */
export const ObservabilitySettings = z.object({
  statsdHost: setting("ELIOT_STATSD_HOST", nonempty, "localhost", "statsd server"),
  statsdPort: setting("ELIOT_STATSD_PORT", integer(1, 65_535), "8124", "UDP port of the statsd server"),
  logLevel: setting(
    "ELIOT_LOGGING_LEVEL",
    logLevel,
    "INFO",
    `minimum severity of log lines: ${logLevels.map((level) => `\`${level}\``).join(", ")}`,
  ),
  sentryDsn: setting(
    "ELIOT_SECRET_SENTRY_DSN",
    dsn,
    "",
    "Sentry project for error reports; empty turns Sentry off",
    { isSecret: true },
  ),
  hostname: setting(
    "ELIOT_HOSTNAME",
    z.string(),
    "",
    "`host` tag of metrics and server name in Sentry; empty means the machine's host name",
  ),
  localDevelopment: setting(
    "ELIOT_LOCAL_DEV_ENV",
    flag,
    "false",
    "human-readable log lines instead of mozlog JSON",
  ),
});
export type ObservabilitySettings = z.infer<typeof ObservabilitySettings>;
