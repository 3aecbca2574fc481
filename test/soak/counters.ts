/** Wrong responses over this number are only counted. */
const shown = 10;

/** What came of all requests. */
export class Counters {
  /** Responses by status, and clients that disconnected early. */
  readonly responses = new Map<string, number>();
  /** What became of modules: by status where the request had a Debug header. */
  readonly modules = new Map<string, number>();
  /** What was wrong, in words; the first few of many. */
  readonly wrong: string[] = [];
  wrongResponses = 0;
  /** Response times in milliseconds since the last sample: of all responses, and of those with cached symcaches only. */
  #all: number[] = [];
  #cached: number[] = [];

  answered(status: number | "disconnected", milliseconds?: number): void {
    count(this.responses, String(status));
    if (milliseconds !== undefined) this.#all.push(milliseconds);
  }

  cached(milliseconds: number): void {
    this.#cached.push(milliseconds);
  }

  module(status: string): void {
    count(this.modules, status);
  }

  isWrong(what: string): void {
    if (++this.wrongResponses <= shown) this.wrong.push(what);
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
