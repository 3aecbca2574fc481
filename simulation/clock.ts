/** Simulated time. Callbacks run in the order of their due times; callbacks due at the same time run in the order of scheduling. */
export class Clock {
  /** A binary heap: entry n is due before entries 2n + 1 and 2n + 2. */
  readonly #due: { at: number; sequence: number; callback: () => void }[] = [];
  #scheduled = 0;
  #now = 0;

  /** In seconds. */
  get now(): number {
    return this.#now;
  }

  in(seconds: number, callback: () => void): void {
    const due = this.#due;
    const added = { at: this.#now + seconds, sequence: this.#scheduled++, callback };
    let index = due.push(added) - 1;
    for (let parent; index > 0; index = parent) {
      parent = (index - 1) >> 1;
      if (!isBefore(added, due[parent]!)) break;
      due[index] = due[parent]!;
    }
    due[index] = added;
  }

  /** Runs until no callbacks are left. */
  run(): void {
    for (let next; (next = this.#takeNext());) {
      this.#now = next.at;
      next.callback();
    }
  }

  #takeNext() {
    const due = this.#due;
    const [next] = due;
    const moved = due.pop();
    if (!moved || due.length === 0) return next;
    let index = 0;
    for (let child; (child = 2 * index + 1) < due.length; index = child) {
      if (child + 1 < due.length && isBefore(due[child + 1]!, due[child]!)) child++;
      if (!isBefore(due[child]!, moved)) break;
      due[index] = due[child]!;
    }
    due[index] = moved;
    return next;
  }
}

function isBefore(a: { at: number; sequence: number }, b: { at: number; sequence: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
