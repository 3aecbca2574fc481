/** `4.2 MB`, in decimal units */
export function size(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${Number(value < 10 ? value.toFixed(1) : value.toFixed())} ${units[power]}`;
}

/** `340 ms`, `2.1 s` */
export function duration(seconds: number): string {
  return seconds < 1 ? `${Math.ceil(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** `37 %`, `under 1 %` */
export function percent(part: number, whole: number): string {
  const rounded = Math.floor((100 * part) / whole);
  return part > 0 && rounded === 0 ? "under 1 %" : `${rounded} %`;
}
