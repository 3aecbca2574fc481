import type { Random } from "./random.ts";

export interface FunctionRange {
  address: number;
  size: number;
}

export interface SampledFunctions {
  functions: FunctionRange[];
  /** In the whole sym file. */
  count: number;
  /** The first address after the last function. */
  end: number;
}

const maxFunctions = 4096;
/** Assumed, because a PUBLIC record has no size. */
const publicSize = 16;

/** A uniform sample of a sym file's FUNC records or, if there are none, of its PUBLIC records. */
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

/** Reservoir sampling: Alan Waterman's algorithm R. */
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
    // Its own generator, so that the result doesn't depend on how the text is split into pieces.
    this.#random = random.fork(name);
  }

  /** `text`: lines, each preceded by its newline. */
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
    const index = this.count <= maxFunctions ? this.count - 1 : this.#random.below(this.count);
    if (index < maxFunctions) this.functions[index] = { address, size };
  }
}
