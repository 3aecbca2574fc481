import type { Locations } from "../symbolication/frames.ts";
import { answerTooLarge } from "./httpError.ts";

/** Bytes of the first slice; each of the next has twice as many. */
const firstSlice = 8 * 1024;
const largestSlice = 256 * 1024;
/** The most bytes that a UTF-16 unit of a string takes in UTF-8. */
const widest = 3;

/**
 * JSON as it is being written, in slices of UTF-8. What is bytes already is copied: to make strings of it, and bytes of
 * those, takes several times as long. Writing throws an HttpError 413 once there are more than `maxBytes`.
 */
export class JsonBytes {
  readonly #maxBytes: number;
  readonly #finished: Buffer[] = [];
  #finishedBytes = 0;
  #slice = Buffer.allocUnsafe(firstSlice);
  #length = 0;
  #slicesBefore = 0;
  #latest: Locations | undefined;
  #strings = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the finished slices. */
  get finishedBytes(): number {
    return this.#finishedBytes;
  }

  /** Whether a slice was finished since it was asked last: time to let others have their turn. */
  isDue(): boolean {
    const isDue = this.#finished.length > this.#slicesBefore;
    this.#slicesBefore = this.#finished.length;
    return isDue;
  }

  /** Adds JSON text. */
  text(text: string): void {
    this.#makeRoom(text.length * widest);
    this.#length += this.#slice.write(text, this.#length);
  }

  /** Adds one of the strings of locations, without the quotes around it. */
  string(locations: Locations, number: number): void {
    // Frames of one module tend to follow each other.
    if (this.#latest !== locations) {
      this.#latest = locations;
      const { buffer, byteOffset, byteLength } = locations.text;
      this.#strings = Buffer.from(buffer, byteOffset, byteLength);
    }
    const { stringEnds } = locations;
    this.bytes(this.#strings, stringEnds[number - 1] ?? 0, stringEnds[number] ?? 0);
  }

  /** Adds a span of bytes, which are JSON text. */
  bytes(from: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    // Without set(), whose subarray() is garbage.
    this.#length += from.copy(this.#slice, this.#length, start, end);
  }

  /** All slices. Nothing can be added afterwards. */
  end(): Buffer[] {
    this.#finishSlice();
    return this.#finished;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#slice.length) return;
    this.#finishSlice();
    this.#slice = Buffer.allocUnsafe(Math.max(bytes, Math.min(2 * this.#slice.length, largestSlice)));
    this.#length = 0;
  }

  #finishSlice(): void {
    this.#finished.push(this.#slice.subarray(0, this.#length));
    this.#finishedBytes += this.#length;
    if (this.#finishedBytes > this.#maxBytes) throw answerTooLarge();
  }
}
