/** Simulated time: what is to be done, in its order. What is due at the same moment is done in the order of asking. */
export class Clock {
  /** A heap: the one at place n is due before those at 2n + 1 and 2n + 2. */
  readonly #due: { at: number; number: number; work: () => void }[] = [];
  #asked = 0;
  #now = 0;

  /** Seconds. */
  get now(): number {
    return this.#now;
  }

  in(seconds: number, work: () => void): void {
    const due = this.#due;
    const added = { at: this.#now + seconds, number: this.#asked++, work };
    let place = due.push(added) - 1;
    for (let above; place > 0; place = above) {
      above = (place - 1) >> 1;
      if (!isBefore(added, due[above]!)) break;
      due[place] = due[above]!;
    }
    due[place] = added;
  }

  /** Until nothing is left to do. */
  run(): void {
    for (let next; (next = this.#takeNext());) {
      this.#now = next.at;
      next.work();
    }
  }

  #takeNext() {
    const due = this.#due;
    const [next] = due;
    const moved = due.pop();
    if (!moved || due.length === 0) return next;
    let place = 0;
    for (let below; (below = 2 * place + 1) < due.length; place = below) {
      if (below + 1 < due.length && isBefore(due[below + 1]!, due[below]!)) below++;
      if (!isBefore(due[below]!, moved)) break;
      due[place] = due[below]!;
    }
    due[place] = moved;
    return next;
  }
}

function isBefore(one: { at: number; number: number }, other: { at: number; number: number }): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
