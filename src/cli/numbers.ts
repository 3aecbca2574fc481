import { InvalidArgumentError } from "@commander-js/extra-typings";

/** A whole number from 1 on, of an option. Throws an InvalidArgumentError. */
export function parseCount(value: string): number {
  if (/^[0-9]{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("It is no whole number from 1 on.");
}

/** Longer than any timer may run: Node's end at 2^31 milliseconds. */
const mostSeconds = 2_000_000;
const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `30`, `0.5`, `500ms`, `2m`: seconds. Throws an InvalidArgumentError. */
export function parseSeconds(value: string): number {
  const [, number, unit = "s"] = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)?$/.exec(value) ?? [];
  const seconds = Number(number) * (units[unit] ?? NaN);
  if (seconds <= mostSeconds) return seconds;
  throw new InvalidArgumentError("It is no time, such as 30 (seconds), 500ms or 2m.");
}

/** A number above 0, such as 0.5. Throws an InvalidArgumentError. */
export function parseRate(value: string): number {
  if (/^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError("It is no number of requests a second, such as 50 or 0.5.");
}
