import { HttpError } from "../httpError.ts";

/** A line without its end; undefined where it is too long. */
export type Line = Buffer | undefined;

const newline = 0x0a;
const space = 0x20;
/** How many times the longest line may pass without a line that isn't too long or blank: a small body can hold endless ones. */
const patience = 10;

/** The lines of a body, but for blank ones. Throws an HttpError 413 where the body goes on and on without any. */
export async function* splitLines(pieces: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  const begun = new BegunLine(maxBytes);
  let bytesWithoutLine = 0;
  for await (const piece of pieces) {
    bytesWithoutLine += piece.length;
    if (bytesWithoutLine > patience * maxBytes) throw new HttpError(413, "the body goes on without a line");
    for (let start = 0; start < piece.length;) {
      const end = piece.indexOf(newline, start);
      begun.add(piece.subarray(start, end < 0 ? piece.length : end));
      if (end < 0) break;
      start = end + 1;
      const line = begun.end();
      if (line && isBlank(line)) continue;
      if (line) bytesWithoutLine = 0;
      yield line;
    }
  }
  const last = begun.end();
  if (!last || !isBlank(last)) yield last;
}

/** The bytes of a line that has come in part. Many small pieces in a list could take a hundred times as much memory. */
class BegunLine {
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Buffer): void {
    const length = this.#length + part.length;
    if (length <= this.#maxBytes) {
      if (this.#length === 0) this.#bytes = part;
      else {
        if (length > this.#bytes.length) this.#bytes = larger(this.#bytes.subarray(0, this.#length), length);
        part.copy(this.#bytes, this.#length);
      }
    } else this.#bytes = Buffer.alloc(0);
    this.#length = length;
  }

  /** The whole line; undefined where it is too long. The next one begins. */
  end(): Line {
    const line = this.#length > this.#maxBytes ? undefined : this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return line;
  }
}

/** It has nothing but spaces, tabs and the first half of CRLF. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte <= space);
}

/** A copy with room for `bytes`, and for as much again. */
function larger(buffer: Buffer, bytes: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(2 * bytes);
  buffer.copy(copy);
  return copy;
}
