/** So many wrong answers are told of in words. */
const shown = 10;

/** What came of all requests. */
export class Counters {
  /** Answers by status, and clients that left, without waiting for theirs. */
  readonly answers = new Map<string, number>();
  /** What became of modules: by status where the request had a Debug header. */
  readonly modules = new Map<string, number>();
  /** What was wrong, in words; the first few of many. */
  readonly wrong: string[] = [];
  wrongAnswers = 0;
  /** Milliseconds of answers since the last taking: of all, and of those whose symcaches were all in the folder. */
  #all: number[] = [];
  #cached: number[] = [];

  answered(status: number | "left", milliseconds?: number): void {
    count(this.answers, String(status));
    if (milliseconds !== undefined) this.#all.push(milliseconds);
  }

  cached(milliseconds: number): void {
    this.#cached.push(milliseconds);
  }

  module(status: string): void {
    count(this.modules, status);
  }

  isWrong(what: string): void {
    if (++this.wrongAnswers <= shown) this.wrong.push(what);
  }

  /** Milliseconds since this was last asked. */
  takeTimes(): { all: number[]; cached: number[] } {
    const times = { all: this.#all, cached: this.#cached };
    this.#all = [];
    this.#cached = [];
    return times;
  }
}

export function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
