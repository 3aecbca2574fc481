const terminalIntervalMs = 100;
const logIntervalMs = 5000;

/** Shows progress on standard error: a line that is updated in place on a terminal, otherwise a new line every five seconds. */
export class Progress implements Disposable {
  readonly #isTerminal = process.stderr.isTTY;
  #last = performance.now();
  #isShown = false;

  /** Calls `describe` only if an update is due. */
  show(describe: () => string): void {
    const now = performance.now();
    if (now - this.#last < (this.#isTerminal ? terminalIntervalMs : logIntervalMs)) return;
    this.#last = now;
    if (!this.#isTerminal) {
      process.stderr.write(`${describe()}\n`);
      return;
    }
    this.#isShown = true;
    process.stderr.write(`\r${describe().slice(0, (process.stderr.columns || 80) - 1)}\u001B[K`);
  }

  /** Clears the line. */
  [Symbol.dispose](): void {
    if (this.#isShown) process.stderr.write("\r\u001B[K");
  }
}

const units = ["bytes", "kB", "MB", "GB", "TB"];

/** `569.3 MB` */
export function sizeText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const digits = power === 0 ? 0 : 1;
  return `${(bytes / 1000 ** power).toFixed(digits)} ${units[power]}`;
}

/** `412.0 MB/s` */
export function speedText(bytes: number, milliseconds: number): string {
  return `${sizeText((1000 * bytes) / Math.max(milliseconds, 1))}/s`;
}
