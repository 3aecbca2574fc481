/**
 * `1 thread`, `1,204 threads`
 * @param {number} number
 * @param {string} noun
 * @returns {string}
 */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * `4.2 MB`, in decimal units
 * @param {number} bytes
 * @returns {string}
 */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${Number(value < 10 ? value.toFixed(1) : value.toFixed())} ${units[power]}`;
}

/**
 * `340 ms`, `2.1 s`
 * @param {number} seconds
 * @returns {string}
 */
export function duration(seconds) {
  return seconds < 1 ? `${Math.ceil(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/**
 * `37 %`, `under 1 %`
 * @param {number} part
 * @param {number} whole
 * @returns {string}
 */
export function percent(part, whole) {
  const rounded = Math.floor((100 * part) / whole);
  return part > 0 && rounded === 0 ? "under 1 %" : `${rounded} %`;
}
