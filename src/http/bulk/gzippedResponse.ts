import { once } from "node:events";
import { constants, createGzip } from "node:zlib";
import type { SpooledResponse } from "./spooledResponse.ts";

/** Compresses what is written to a SpooledResponse, with the same methods. */
export class GzippedResponse implements Disposable {
  readonly #response: SpooledResponse;
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 });
  /** Compressed pieces that have not been written yet. */
  #pieces: Buffer[] = [];

  constructor(response: SpooledResponse) {
    this.#response = response;
    this.#gzip.on("data", (piece: Buffer) => this.#pieces.push(piece));
  }

  /** The end of the line may be written at the next flush() only. */
  async write(line: Buffer[]): Promise<void> {
    for (const slice of line) if (!this.#gzip.write(slice)) await once(this.#gzip, "drain");
    await this.#writePieces();
  }

  async flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    await this.#writePieces();
  }

  async end(last: Buffer[]): Promise<void> {
    for (const slice of last) this.#gzip.write(slice);
    this.#gzip.end();
    await once(this.#gzip, "end");
    await this.#response.end(this.#pieces);
  }

  [Symbol.dispose](): void {
    this.#gzip.destroy();
  }

  /** Keeps the pieces that could not be written because the spool is full: the client needs them to decompress the last line. */
  async #writePieces(): Promise<void> {
    const { length } = this.#pieces;
    if (length > 0) await this.#response.write(this.#pieces);
    this.#pieces = this.#pieces.slice(length);
  }
}
