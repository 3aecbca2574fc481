/** Three significant digits. */
export function short(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

/** `1,234` */
export function whole(value: number): string {
  return value.toLocaleString("en");
}

/** `1 frame`, `1,234 frames` */
export function counted(value: number, noun: string): string {
  return `${whole(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `0x1a2b`, or `-0x1` as in the API. */
export function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
