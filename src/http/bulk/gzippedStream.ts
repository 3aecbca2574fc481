import { once } from "node:events";
import { constants, createGzip } from "node:zlib";
import type { AnswerStream } from "./answerStream.ts";

/** Compresses what goes into an AnswerStream; used as that. Dispose of it when the answer is over. */
export class GzippedStream implements Disposable {
  readonly #stream: AnswerStream;
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 });
  /** Compressed, but not written yet. */
  #pieces: Buffer[] = [];

  constructor(stream: AnswerStream) {
    this.#stream = stream;
    this.#gzip.on("data", (piece: Buffer) => this.#pieces.push(piece));
  }

  /** As AnswerStream.write(), but the last of it may come out at the next flush() only. */
  async write(line: Buffer[]): Promise<void> {
    for (const slice of line) if (!this.#gzip.write(slice)) await once(this.#gzip, "drain");
    await this.#passOn();
  }

  /** Lets all that was written come out. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    await this.#passOn();
  }

  /** As AnswerStream.end(). */
  async end(last: Buffer[]): Promise<void> {
    for (const slice of last) this.#gzip.write(slice);
    this.#gzip.end();
    await once(this.#gzip, "end");
    await this.#stream.end(this.#pieces);
  }

  [Symbol.dispose](): void {
    this.#gzip.destroy();
  }

  /** What couldn't be written, for want of room on disk, stays: without it nothing behind it could be read. */
  async #passOn(): Promise<void> {
    const { length } = this.#pieces;
    if (length > 0) await this.#stream.write(this.#pieces);
    this.#pieces = this.#pieces.slice(length);
  }
}
