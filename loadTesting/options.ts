import { InvalidArgumentError } from "@commander-js/extra-typings";

export const requestsHelp =
  "Requests are JSON files, optionally gzipped, with one request per file or per line, or folders of such files; - is " +
  'standard input. Requests with "version": 4 are sent to /symbolicate/v4, all others to v5.';

/** Throws an InvalidArgumentError. */
export function parseCount(value: string): number {
  if (/^[0-9]{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("Expected a positive whole number.");
}

/** Node's timers are limited to 2^31 milliseconds. */
const maxSeconds = 2_000_000;
const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `30`, `0.5`, `500ms` or `2m`, in seconds. Throws an InvalidArgumentError. */
export function parseSeconds(value: string): number {
  const [, number, unit = "s"] = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)?$/.exec(value) ?? [];
  const seconds = Number(number) * (units[unit] ?? NaN);
  if (seconds <= maxSeconds) return seconds;
  throw new InvalidArgumentError("Expected a duration such as 30 (seconds), 500ms or 2m.");
}

/** Throws an InvalidArgumentError. */
export function parseRate(value: string): number {
  if (/^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("Expected a number of requests per second, such as 50 or 0.5.");
}
