import { SharedCacheFault } from "./sharedCacheFault.ts";

/** Reads a given number of bytes at a time from a response body. */
export class BodyReader implements AsyncDisposable {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  readonly #received: (bytes: number) => void;

  constructor(body: AsyncIterable<Uint8Array>, received: (bytes: number) => void) {
    this.#pieces = body[Symbol.asyncIterator]();
    this.#received = received;
  }

  /** Throws a SharedCacheFault if the body ends before. */
  async read(length: number): Promise<Buffer<ArrayBuffer>> {
    const bytes = Buffer.from(new ArrayBuffer(length));
    for (let filled = 0; filled < length;) {
      if (this.#rest.length === 0) this.#rest = await this.#next();
      const piece = this.#rest.subarray(0, length - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      this.#rest = this.#rest.subarray(piece.length);
    }
    return bytes;
  }

  /** Closes the connection unless the body has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.().catch(() => {});
  }

  async #next(): Promise<Uint8Array> {
    const { done, value } = await this.#pieces.next().catch((error: unknown) => {
      throw new SharedCacheFault("can't download the object", error);
    });
    if (done) throw new SharedCacheFault("the object ended early");
    this.#received(value.length);
    return value;
  }
}
