import { hostname } from "node:os";
import { pino, type DestinationStream, type LogFn, type Logger } from "pino";
import type { ObservabilitySettings } from "../config/observability.ts";
import { Repetitions } from "./repetitions.ts";

export type { Logger };

export interface Logs {
  app: Logger;
  /** One line per request. */
  requests: Logger;
}

/** Syslog severities, as mozlog requires, by pino's level names. */
const severities: Record<string, number> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };

const pinoLevels = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "fatal",
} as const;

/**
 * Loggers that write mozlog 2.0, one JSON object per line:
 *
 *     {"Severity":6,"Timestamp":1795517449021000000,"Logger":"eliot","Hostname":"…","EnvVersion":"2.0","Pid":7,"Type":"eliot.app","Fields":{"port":8000,"msg":"listening"}}
 *
 * Fields are flat: an `err` becomes `error` and `traceback`. With `localDevelopment`, lines are formatted for people.
 * See https://github.com/mozilla-services/Dockerflow/blob/main/docs/mozlog.md
 */
export async function createLogs(
  config: Pick<ObservabilitySettings, "logLevel" | "localDevelopment">,
  destination: DestinationStream,
): Promise<Logs> {
  const level = pinoLevels[config.logLevel];
  if (config.localDevelopment) {
    const { prettyFactory } = await import("pino-pretty");
    const pretty = prettyFactory({ singleLine: true, colorize: process.stdout.isTTY });
    const logger = pino(
      {
        level,
        base: null,
        hooks: { logMethod: onceAMinute((log, fields, message) => log(fields, message)) },
      },
      { write: (line) => destination.write(pretty(line)) },
    );
    return { app: logger, requests: logger };
  }
  const root = pino(
    {
      level,
      base: { Logger: "eliot", Hostname: hostname(), EnvVersion: "2.0", Pid: process.pid },
      nestedKey: "Fields",
      // A multiple of 10^6 prints exactly; nanoseconds as a double would not.
      timestamp: () => `,"Timestamp":${Date.now() * 1e6}`,
      formatters: { level: (label) => ({ Severity: severities[label] }) },
      // Pino puts the message beside Fields; mozlog requires it inside.
      hooks: { logMethod: onceAMinute((log, fields, msg) => log({ ...flattenError(fields), msg })) },
    },
    destination,
  );
  return { app: root.child({ Type: "eliot.app" }), requests: root.child({ Type: "request.summary" }) };
}

/** Passes lines on to `write`; a warning or an error that repeats only once a minute, with the count in `repeated`. */
function onceAMinute(write: (log: LogFn, fields: object, message: string) => void) {
  const repetitions = new Repetitions();
  return function logMethod(this: Logger, [first, second]: unknown[], method: LogFn, level: number): void {
    const hasFields = typeof first === "object" && first !== null;
    const fields = hasFields ? first : {};
    const message = String(hasFields ? second : first);
    const log: LogFn = method.bind<LogFn>(this);
    if (level < (pino.levels.values["warn"] ?? 0)) write(log, fields, message);
    else
      repetitions.write(message, { ...flattenError(fields), traceback: undefined }, (count) =>
        write(log, count > 0 ? { ...fields, repeated: count } : fields, message),
      );
  };
}

function flattenError(fields: object): object {
  if (!("err" in fields && fields.err instanceof Error)) return fields;
  const { err, ...rest } = fields;
  return { ...rest, error: `${err.name}: ${err.message}`, traceback: err.stack ?? "" };
}
