import { z } from "zod";

const decimalUnits = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const binaryUnits = { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };
const bytesPerUnit: Record<string, number> = { "": 1, ...decimalUnits, ...binaryUnits };

/** Parses `1gb`, `1_000` or `512 MiB` to bytes. `minimum` has the same format. */
export function size(minimum: string) {
  return z.string().transform((text, context) => {
    const bytes = parseSize(text);
    if (!Number.isSafeInteger(bytes)) {
      context.addIssue("is not a size such as 500mb, 1gb or 1_000_000");
      return z.NEVER;
    }
    if (bytes < parseSize(minimum)) {
      context.addIssue(`is less than the minimum of ${minimum}`);
      return z.NEVER;
    }
    return bytes;
  });
}

function parseSize(text: string): number {
  const match = /^([0-9_]+(?:\.[0-9]+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = bytesPerUnit[match?.[2]?.toLowerCase() ?? ""];
  return Math.round(Number(match?.[1]?.replaceAll("_", "")) * (unit ?? NaN));
}

/** Parses seconds such as `30` or `0.5` to milliseconds. */
export function seconds(minimum: number) {
  return z.string().transform((text, context) => {
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text.trim()) ? Number(text) : NaN;
    if (value >= minimum && value <= 86_400) return value * 1000;
    context.addIssue(`is not a number of seconds from ${minimum} to 86400`);
    return z.NEVER;
  });
}

export function integer(minimum: number, maximum: number) {
  return z.string().transform((text, context) => {
    const value = /^[0-9]+$/.test(text.trim()) ? Number(text) : NaN;
    if (value >= minimum && value <= maximum) return value;
    context.addIssue(`is not an integer from ${minimum} to ${maximum}`);
    return z.NEVER;
  });
}

const flags = { true: true, yes: true, "1": true, false: false, no: false, "0": false };

export const flag = z.string().transform((text, context) => {
  const value = Object.entries(flags).find(([name]) => name === text.trim().toLowerCase());
  if (value) return value[1];
  context.addIssue("is neither true nor false");
  return z.NEVER;
});

export const nonempty = z.string().min(1, "is empty");
