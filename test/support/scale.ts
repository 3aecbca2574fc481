/**
 * How much the tests of faults do: `FAULTS_SCALE` is a part of the big counts, 1 for all of them; unset, each does the few
 * that are worth their time in `npm test`. `FAULTS_SEED` gives other moments, bytes and orders.
 */
const scale = Number(process.env["FAULTS_SCALE"] ?? 0);
export const seed = Number(process.env["FAULTS_SEED"] ?? 1);
export const isWhole = scale >= 1;

export function times(few: number, many: number): number {
  return Math.max(few, Math.round(many * scale));
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(stream: number, of = seed) {
    this.#state = Math.imul(of, 0x9e3779b1) ^ stream;
  }

  /** A whole number from 0 to `end` − 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}
