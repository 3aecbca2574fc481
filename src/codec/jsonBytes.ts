import { ResultTooLarge, type Locations } from "../symbolication/frames.ts";

const sliceBytes = 64 * 1024;
/** 8 MiB. Reusing slices saves the garbage collector and the kernel much work. */
const maxSpareSlices = 128;
const spareSlices: Buffer[] = [];

/** Bytes in UTF-8 per UTF-16 code unit. */
const maxBytesPerUnit = 3;
/** Digits of a 32-bit number. */
const maxDigits = 10;
const digits = Buffer.from("0123456789abcdef");

/**
 * Builds JSON text as slices of UTF-8. Copying bytes is several times as fast as decoding and encoding them. Throws an
 * ResultTooLarge once there are more than `maxBytes`.
 */
export class JsonBytes {
  readonly #maxBytes: number;
  readonly #finished: Buffer[] = [];
  #finishedBytes = 0;
  #slice = newSlice();
  /** Bytes written to the current slice. */
  #length = 0;
  #slicesAtYield = 0;
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

  /** Whether a slice was finished since the last call, so that other requests should run now. */
  shouldYield(): boolean {
    const hasNewSlice = this.#finished.length > this.#slicesAtYield;
    this.#slicesAtYield = this.#finished.length;
    return hasNewSlice;
  }

  /** Adds JSON text. */
  text(text: string): void {
    const maxBytes = text.length * maxBytesPerUnit;
    if (maxBytes > sliceBytes) return this.bytes(Buffer.from(text));
    this.#ensureSpace(maxBytes);
    this.#length += this.#slice.write(text, this.#length);
  }

  /** Adds a few ASCII characters of JSON text, faster than text(). */
  ascii(text: string): void {
    this.#ensureSpace(text.length);
    const slice = this.#slice;
    const start = this.#length;
    for (let i = 0; i < text.length; i++) slice[start + i] = text.charCodeAt(i);
    this.#length = start + text.length;
  }

  /** Adds a string with its quotes. Repeating the last string is fast. */
  string(string: string): void {
    if (string !== this.#latestString) {
      this.#latestString = string;
      this.#latestJson = Buffer.from(JSON.stringify(string));
    }
    this.bytes(this.#latestJson);
  }

  /** Adds a part of the JSON text of source locations. */
  locationText(locations: Locations, start: number, end: number): void {
    // Consecutive frames often point into the same module.
    if (this.#latestLocations !== locations) {
      this.#latestLocations = locations;
      const { buffer, byteOffset, byteLength } = locations.text;
      this.#latestText = Buffer.from(buffer, byteOffset, byteLength);
    }
    this.bytes(this.#latestText, start, end);
  }

  /** Adds a number in decimal digits. */
  integer(value: number): void {
    this.#digits(value, 10);
  }

  /** Adds a number such as `0x9a1b` or `-0x1`, without quotes. */
  hex(value: number | bigint): void {
    this.ascii(value < 0 ? "-0x" : "0x");
    this.#digits(value < 0 ? -value : value, 16);
  }

  /** Adds JSON text that is encoded already. */
  bytes(from: Buffer, start = 0, end = from.length): void {
    while (start < end) {
      this.#ensureSpace(1);
      // set() would need a subarray(), which is garbage.
      const copied = from.copy(this.#slice, this.#length, start, end);
      this.#length += copied;
      start += copied;
    }
  }

  /** Returns all slices. Nothing can be added afterwards. */
  end(): Buffer[] {
    this.#finishSlice();
    return this.#finished;
  }

  /** Adds a number that is not negative. */
  #digits(value: number | bigint, base: 10 | 16): void {
    if (typeof value === "bigint" || value >= 2 ** 31) return this.ascii(value.toString(base));
    this.#ensureSpace(maxDigits);
    // Local variables and 32-bit integers are what V8 compiles best.
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

  #ensureSpace(bytes: number): void {
    if (this.#length + bytes <= sliceBytes) return;
    this.#finishSlice();
    this.#slice = newSlice();
    this.#length = 0;
  }

  #finishSlice(): void {
    this.#finished.push(this.#slice.subarray(0, this.#length));
    this.#finishedBytes += this.#length;
    if (this.#finishedBytes > this.#maxBytes) throw new ResultTooLarge();
  }
}

/** Lets other responses overwrite a slice. */
export function recycle({ buffer }: Buffer): void {
  if (spareSlices.length < maxSpareSlices) spareSlices.push(Buffer.from(buffer));
}

function newSlice(): Buffer {
  return spareSlices.pop() ?? Buffer.allocUnsafeSlow(sliceBytes);
}
