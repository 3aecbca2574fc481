import { AnswerTooLarge, type Locations } from "../symbolication/frames.ts";
import { giveBackSlice, sliceBytes, takeSlice } from "./slices.ts";

/** The most bytes that a UTF-16 unit of a string takes in UTF-8. */
const widest = 3;
/** The most digits that a 32-bit number has. */
const mostDigits = 10;
const digits = Buffer.from("0123456789abcdef");

/**
 * JSON as it is being written, in slices of UTF-8. What is bytes already is copied: to make strings of it, and bytes of
 * those, takes several times as long. Writing throws an HttpError 413 once there are more than `maxBytes`.
 */
export class JsonBytes {
  readonly #maxBytes: number;
  readonly #finished: Buffer[] = [];
  #finishedBytes = 0;
  #slice = takeSlice();
  readonly #taken = [this.#slice];
  #length = 0;
  #slicesBefore = 0;
  #latestLocations: Locations | undefined;
  #latestText = Buffer.alloc(0);
  #latestString: string | undefined;
  #latestJson = Buffer.alloc(0);

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
    const most = text.length * widest;
    if (most > sliceBytes) return this.bytes(Buffer.from(text));
    this.#makeRoom(most);
    this.#length += this.#slice.write(text, this.#length);
  }

  /** Adds JSON text of a few ASCII characters, for which a loop takes less time than text() does. */
  ascii(text: string): void {
    this.#makeRoom(text.length);
    const slice = this.#slice;
    const start = this.#length;
    for (let i = 0; i < text.length; i++) slice[start + i] = text.charCodeAt(i);
    this.#length = start + text.length;
  }

  /** Adds a string with its quotes. The same one again costs little. */
  string(string: string): void {
    if (string !== this.#latestString) {
      this.#latestString = string;
      this.#latestJson = Buffer.from(JSON.stringify(string));
    }
    this.bytes(this.#latestJson);
  }

  /** Adds a span of the text of locations. */
  textOf(locations: Locations, start: number, end: number): void {
    // Frames of one module tend to follow each other.
    if (this.#latestLocations !== locations) {
      this.#latestLocations = locations;
      const { buffer, byteOffset, byteLength } = locations.text;
      this.#latestText = Buffer.from(buffer, byteOffset, byteLength);
    }
    this.bytes(this.#latestText, start, end);
  }

  /** Adds a number's digits. */
  integer(value: number): void {
    this.#digits(value, 10);
  }

  /** Adds a number as `0x9a1b`, below zero as `-0x1`. */
  hex(value: number | bigint): void {
    this.ascii(value < 0 ? "-0x" : "0x");
    this.#digits(value < 0 ? -value : value, 16);
  }

  /** Adds a span of bytes, which are JSON text. */
  bytes(from: Buffer, start = 0, end = from.length): void {
    while (start < end) {
      this.#makeRoom(1);
      // Without set(), whose subarray() is garbage.
      const copied = from.copy(this.#slice, this.#length, start, end);
      this.#length += copied;
      start += copied;
    }
  }

  /** All that was added. Nothing can be added afterwards. */
  end(): Buffer[] {
    this.#finishSlice();
    return this.#finished;
  }

  /** Gives the memory of all slices back, which nobody may read any more. */
  release(): void {
    for (const slice of this.#taken.splice(0)) giveBackSlice(slice);
  }

  /** Adds the digits of a number that is not negative. */
  #digits(value: number | bigint, base: 10 | 16): void {
    if (typeof value === "bigint" || value >= 2 ** 31) return this.ascii(value.toString(base));
    this.#makeRoom(mostDigits);
    // In registers, and in 32 bits.
    const slice = this.#slice;
    const start = this.#length;
    let end = start + 1;
    for (let rest = value; rest >= base; rest = (rest / base) | 0) end++;
    for (let at = end - 1, rest = value; at >= start; at--) {
      const shorter = (rest / base) | 0;
      slice[at] = digits[rest - shorter * base] as number;
      rest = shorter;
    }
    this.#length = end;
  }

  /** Begins a slice where this one has no room for so many bytes. */
  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= sliceBytes) return;
    this.#finishSlice();
    this.#slice = takeSlice();
    this.#taken.push(this.#slice);
    this.#length = 0;
  }

  #finishSlice(): void {
    this.#finished.push(this.#slice.subarray(0, this.#length));
    this.#finishedBytes += this.#length;
    if (this.#finishedBytes > this.#maxBytes) throw new AnswerTooLarge();
  }
}
