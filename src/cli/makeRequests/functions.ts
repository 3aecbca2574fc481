import type { Random } from "./random.ts";

/** Where a function is in its module. */
export interface FunctionRange {
  address: number;
  size: number;
}

export interface SampledFunctions {
  functions: FunctionRange[];
  /** How many there are in all. */
  count: number;
  /** The first address behind the last of them. */
  end: number;
}

/** So many functions of a module are enough to make requests of. */
const most = 4096;
/** What a PUBLIC record says nothing of. */
const publicSize = 16;

/**
 * A sample of the functions of a sym file: each is as likely to be in it. PUBLIC records count where there is no FUNC record.
 * Only what is needed of the text is held.
 */
export async function sampleFunctions(
  pieces: AsyncIterable<Uint8Array>,
  random: Random,
): Promise<SampledFunctions> {
  const functions = new Sample("FUNC", /FUNC (?:m )?([0-9a-f]{1,12}) ([0-9a-f]{1,8}) /iy, random);
  const publics = new Sample("PUBLIC", /PUBLIC (?:m )?([0-9a-f]{1,12}) /iy, random);
  let rest = "\n";
  for await (const piece of pieces) {
    const text = rest + Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString("latin1");
    const end = text.lastIndexOf("\n");
    functions.addAll(text.slice(0, end));
    publics.addAll(text.slice(0, end));
    rest = text.slice(end);
  }
  functions.addAll(rest);
  publics.addAll(rest);
  return functions.count > 0 ? functions : publics;
}

/** A reservoir: Alan Waterman's algorithm R. */
class Sample implements SampledFunctions {
  readonly functions: FunctionRange[] = [];
  count = 0;
  end = 0;
  readonly #start: string;
  readonly #record: RegExp;
  readonly #random: Random;

  constructor(name: string, record: RegExp, random: Random) {
    this.#start = `\n${name} `;
    this.#record = record;
    // Of its own, so that it doesn't matter in which pieces the text comes.
    this.#random = random.fork(name);
  }

  /** `text`: lines, each with its newline before it. */
  addAll(text: string): void {
    for (let at = text.indexOf(this.#start); at >= 0; at = text.indexOf(this.#start, at + 1)) {
      this.#record.lastIndex = at + 1;
      const [, address, size] = this.#record.exec(text) ?? [];
      if (address !== undefined)
        this.#add(parseInt(address, 16), size === undefined ? publicSize : parseInt(size, 16));
    }
  }

  #add(address: number, size: number): void {
    if (size === 0) return;
    this.count++;
    this.end = Math.max(this.end, address + size);
    const place = this.count <= most ? this.count - 1 : this.#random.below(this.count);
    if (place < most) this.functions[place] = { address, size };
  }
}
