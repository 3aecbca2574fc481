import type { Readable } from "node:stream";
import { abortable } from "../../async/abortable.ts";
import type { MemoryShare } from "../admission.ts";
import { HttpError } from "../httpError.ts";

/** A line without its line break; undefined if it is too long. */
export type Line = Buffer | undefined;

export interface ReadOptions {
  maxLineBytes: number;
  /** How long the client may send nothing while the service waits for it. */
  timeoutMs: number;
  signal: AbortSignal;
  /** What lines are charged to. The caller releases their lengths. */
  memory: MemoryShare;
  /** Called with the length of each piece. */
  progressed: (bytes: number) => void;
}

const newline = 0x0a;
const space = 0x20;
/** In line lengths, how much may be received without a line that is neither blank nor too long. A small gzip body can expand to endless blanks. */
const maxUselessLines = 10;

/** The lines of a body that are not blank. Throws an HttpError for a body that stalls, is damaged or has no lines, or the signal's reason. */
export async function* readLines(body: Readable, options: ReadOptions): AsyncGenerator<Line> {
  const { maxLineBytes, memory, progressed } = options;
  const partial = new PartialLine(maxLineBytes, memory);
  let bytesWithoutLine = 0;
  for await (const piece of readPieces(body, options)) {
    progressed(piece.length);
    bytesWithoutLine += piece.length;
    if (bytesWithoutLine > maxUselessLines * maxLineBytes)
      throw new HttpError(413, "the body has too much text without a usable line");
    for (let start = 0; start < piece.length;) {
      const end = piece.indexOf(newline, start);
      partial.add(piece.subarray(start, end < 0 ? piece.length : end));
      if (end < 0) break;
      start = end + 1;
      const line = partial.end();
      if (line && isBlank(line)) {
        memory.release(line.length);
        continue;
      }
      if (line) bytesWithoutLine = 0;
      yield line;
    }
  }
  const last = partial.end();
  if (!last || !isBlank(last)) yield last;
}

async function* readPieces(body: Readable, { timeoutMs, signal }: ReadOptions): AsyncGenerator<Buffer> {
  // The body is not destroyed at the end, because the response is sent on the request's connection.
  const pieces = body.iterator({ destroyOnReturn: false });
  const stalled = new AbortController();
  const stop = AbortSignal.any([signal, stalled.signal]);
  for (;;) {
    const timer = setTimeout(() => stalled.abort(new HttpError(408)), timeoutMs);
    let next;
    try {
      next = await abortable(pieces.next(), stop);
    } catch (error) {
      if (stop.aborted) throw error;
      throw new HttpError(400, "the body is incomplete or does not match its Content-Encoding");
    } finally {
      // Before the piece is processed: that time is not the client's.
      clearTimeout(timer);
    }
    if (next.done) return;
    yield next.value as Buffer;
  }
}

/** A line that is received in pieces, in one growing buffer. A list of pieces could take a hundred times as much memory. */
class PartialLine {
  readonly #maxBytes: number;
  readonly #memory: MemoryShare;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number, memory: MemoryShare) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  add(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length <= this.#maxBytes) this.#memory.reserve(piece.length);
    else if (this.#length <= this.#maxBytes) this.#memory.release(this.#length);
    if (length > this.#maxBytes) this.#bytes = Buffer.alloc(0);
    else if (this.#length === 0) this.#bytes = piece;
    else {
      if (length > this.#bytes.length) this.#grow(2 * length);
      piece.copy(this.#bytes, this.#length);
    }
    this.#length = length;
  }

  /** Returns the line and begins the next one. */
  end(): Line {
    const line = this.#length > this.#maxBytes ? undefined : this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return line;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Whether there are only spaces, tabs and the first half of CRLF. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte <= space);
}
