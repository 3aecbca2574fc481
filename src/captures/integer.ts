/** An address or offset: a number where that is exact, otherwise a bigint. */
export type Integer = number | bigint;

const maxAddress = 2n ** 64n - 1n;
const hexDigits = /^\s*(?:0x)?([0-9a-f]{1,16})\s*$/i;
/** Hex digits that always fit in 2^53. */
const exactDigits = 13;

/**
 * The unsigned 64-bit integer that a file holds as a hex string, with or without `0x`, or as a JSON integer. Undefined for
 * anything else.
 */
export function parseInteger(value: unknown): Integer | undefined {
  if (typeof value === "string") {
    const digits = hexDigits.exec(value)?.[1];
    if (digits === undefined) return undefined;
    return digits.length <= exactDigits ? parseInt(digits, 16) : reduced(BigInt(`0x${digits}`));
  }
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 0) return undefined;
    if (value <= Number.MAX_SAFE_INTEGER) return value;
  } else if (typeof value !== "bigint") return undefined;
  const exact = BigInt(value);
  return exact < 0n || exact > maxAddress ? undefined : reduced(exact);
}

export function difference(minuend: Integer, subtrahend: Integer): Integer {
  if (typeof minuend === "number" && typeof subtrahend === "number") return minuend - subtrahend;
  return reduced(BigInt(minuend) - BigInt(subtrahend));
}

function reduced(exact: bigint): Integer {
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
