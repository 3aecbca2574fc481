import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/** A sym file in a folder laid out like a symbol server. */
export interface SymFile {
  debugFilename: string;
  debugId: string;
  path: string;
  megabytes: number;
  /** The address after its last function. */
  end: number;
}

const names = (
  "nsXPCOM Gecko layout dom js Frame Style Document Window Paint Layer Compositor Event Listener Content Element Node " +
  "Shadow Promise Microtask Task Queue Runnable Thread Worker Cache Storage IndexedDB Media Audio Video Track Stream " +
  "Buffer Encoder Decoder WebGL Canvas Context Render Display Item List Builder Servo Selector Rule Declaration " +
  "Property Value Computed"
).split(" ");
/** Counts in libxul's sym file; files of other sizes have proportional counts. */
const libxul = { megabytes: 569, files: 45_000, origins: 260_000, publics: 60_000 };
const flushLength = 1024 * 1024;

/** Writes a sym file of each size, for `libmodule0.so`, `libmodule1.so` and so on. */
export function writeSymFiles(folder: string, megabytes: number[]): SymFile[] {
  return megabytes.map((size, index) => {
    const debugId = `1410FAF03AD925211450AE25E0CB9A${String(index).padStart(3, "0")}`;
    return writeSymFile(folder, size, `libmodule${index}.so`, debugId);
  });
}

/**
 * Writes a synthetic sym file shaped like libxul's to `folder`/libxul.so/ID/libxul.so.sym. The same arguments give the same
 * bytes. 569 MB have 412,000 FUNC, 5.0 million INLINE and 12.6 million line records.
 */
export function writeSymFile(
  folder: string,
  megabytes: number,
  debugFilename = "libxul.so",
  debugId = "1410FAF03AD925211450AE25E0CB9AE50",
): SymFile {
  const path = join(folder, debugFilename, debugId, `${debugFilename}.sym`);
  mkdirSync(dirname(path), { recursive: true });
  const random = randomNumbers(42);
  const share = megabytes / libxul.megabytes;
  const [files, origins, publics] = [libxul.files, libxul.origins, libxul.publics].map((count) =>
    Math.ceil(count * share),
  ) as [number, number, number];

  using file = new RecordFile(path);
  const put = (record: string) => file.put(record);

  const word = () => names[random(names.length)] ?? "";
  const functionName = () => {
    const scope = Array.from({ length: 1 + random(4) }, word).join("::");
    const parameter = () => `mozilla::${word()}::${word()}${random(2000)}<${word()}> const&`;
    const parameters = Array.from({ length: random(6) }, parameter).join(", ");
    return `mozilla::${scope}::${word()}${word()}${random(30_000)}(${parameters})`;
  };

  put(`MODULE Linux x86_64 ${debugId} ${debugFilename}`);
  put(`INFO CODE_ID F0FA1014D93A21521450AE25E0CB9AE5`);
  const revision = "ab4f8a1b2c3d4e5f60718293a4b5c6d7e8f90a1b";
  for (let number = 0; number < files; number++) {
    const folders = `${word().toLowerCase()}/${word().toLowerCase()}`;
    put(
      `FILE ${number} hg:hg.mozilla.org/mozilla-central:${folders}/${word()}${word()}${number}.cpp:${revision}`,
    );
  }
  for (let number = 0; number < origins; number++) put(`INLINE_ORIGIN ${number} ${functionName()}`);

  let address = 0x1000;
  while (file.written < megabytes * 1e6) {
    const lines: string[] = [];
    const inlines: string[] = [];
    const ownFile = random(files);
    let size = 0;
    for (let line = 0, count = 1 + random(60); line < count; line++) {
      const length = 1 + random(24);
      const range = `${hex(address + size)} ${hex(length)}`;
      lines.push(`${range} ${1 + random(9000)} ${random(4) === 0 ? random(files) : ownFile}`);
      if (random(5) === 0) {
        for (let depth = 0, depths = 1 + random(3); depth < depths; depth++)
          inlines.push(`INLINE ${depth} ${1 + random(9000)} ${random(files)} ${random(origins)} ${range}`);
      }
      size += length;
    }
    put(`FUNC ${random(12) === 0 ? "m " : ""}${hex(address)} ${hex(size)} 0 ${functionName()}`);
    for (const inline of inlines) put(inline);
    for (const line of lines) put(line);
    address += size + random(16);
  }
  const end = address;
  for (let number = 0; number < publics; number++, address += 16)
    put(`PUBLIC ${hex(address)} 0 ${functionName()}`);
  return { debugFilename, debugId, path, megabytes, end };
}

/** Buffers records and writes them to a new file. */
class RecordFile implements Disposable {
  /** Bytes in the file, without buffered ones. */
  written = 0;
  readonly #file: number;
  #text = "";

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  put(record: string): void {
    this.#text += `${record}\n`;
    if (this.#text.length > flushLength) this.#flush();
  }

  [Symbol.dispose](): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    this.written += writeSync(this.#file, this.#text);
    this.#text = "";
  }
}

/** Returns integers from 0 to n − 1, the same for the same seed: George Marsaglia's xorshift with 32 bits. */
export function randomNumbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

function hex(number: number): string {
  return number.toString(16);
}
