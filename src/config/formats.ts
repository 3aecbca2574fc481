import { z } from "zod";

const decimalUnits = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const binaryUnits = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };
const bytesPerUnit: Record<string, number> = { "": 1, ...decimalUnits, ...binaryUnits };

/** Parses `1gb`, `1_000` or `512 MiB` to bytes. `minimum` has the same format. */
export function size(minimum: string) {
  const bytes = z
    .int("is not a size such as 500mb, 1gb or 1_000_000")
    .min(parseSize(minimum), `is less than the minimum of ${minimum}`);
  return z.string().transform(parseSize).pipe(bytes);
}

function parseSize(text: string): number {
  const match = /^([0-9_]+(?:\.[0-9]+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = bytesPerUnit[match?.[2]?.toLowerCase() ?? ""];
  return Math.round(Number(match?.[1]?.replaceAll("_", "")) * (unit ?? NaN));
}

/** Parses seconds such as `30` or `0.5` to milliseconds. */
export function seconds(minimum: number) {
  const problem = `is not a number of seconds from ${minimum} to 86400`;
  return number(/^[0-9]+(\.[0-9]+)?$/, minimum, 86_400, problem).transform((value) => value * 1000);
}

export function integer(minimum: number, maximum: number) {
  return number(/^[0-9]+$/, minimum, maximum, `is not an integer from ${minimum} to ${maximum}`);
}

function number(format: RegExp, minimum: number, maximum: number, problem: string) {
  const range = z.number(problem).min(minimum, problem).max(maximum, problem);
  return z.string().trim().regex(format, problem).transform(Number).pipe(range);
}

export const flag = z
  .string()
  .trim()
  .pipe(
    z.stringbool({
      truthy: ["true", "yes", "1"],
      falsy: ["false", "no", "0"],
      error: "is neither true nor false",
    }),
  );

export const nonempty = z.string().min(1, "is empty");
