/** Three digits that count. */
export function short(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

/** `1,234` */
export function whole(value: number): string {
  return value.toLocaleString("en");
}
