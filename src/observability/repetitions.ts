const periodMs = 60_000;
/** From then on, lines with the same message count as equal. */
const maxLines = 1000;

interface Repeated {
  count: number;
  write: (count: number) => void;
}

/** Writes a line that repeats once a minute, with the number of its repetitions: a client may cause thousands. */
export class Repetitions {
  readonly #lines = new Map<string, Repeated>();

  /** Calls `write` now, or within a minute if an equal line was written in the last one. */
  write(message: unknown, fields: object, write: (count: number) => void): void {
    const key = this.#lines.size < maxLines ? JSON.stringify([message, fields]) : String(message);
    const line = this.#lines.get(key);
    if (line) {
      line.count++;
      line.write = write;
    } else {
      write(0);
      this.#lines.set(key, { count: 0, write });
      this.#expect(key);
    }
  }

  #expect(key: string): void {
    setTimeout(() => {
      const line = this.#lines.get(key);
      if (line && line.count > 0) {
        line.write(line.count);
        line.count = 0;
        this.#expect(key);
      } else this.#lines.delete(key);
    }, periodMs).unref();
  }
}
