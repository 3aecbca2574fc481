/** So many at a time; the others wait in the order in which they came. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Calls `work` when there is a place for it, which it gives back. */
  take(work: () => void): void {
    if (this.#free === 0) {
      this.#waiting.push(work);
      return;
    }
    this.#free--;
    work();
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
