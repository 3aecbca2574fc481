import { readFile } from "node:fs/promises";

/** Fills `into` with a file's bytes from `offset` on, and returns the number of bytes read. It may throw. */
export type ReadAt = (into: Uint8Array, offset: number) => number;

/** Appends bytes, valid during the call, to a file. It may throw. */
export type Append = (bytes: Uint8Array) => void;

/** What the crate exports; `crates/symcache/src/wasm.rs` describes each. Addresses and lengths are in bytes. */
interface Exports {
  refused_bytes: () => number;
  inbox: (length: number) => number;
  message_at: () => number;
  message_length: () => number;
  converter_new: (filenameLength: number, idLength: number) => number;
  converter_push: (converter: number, length: number) => number;
  converter_finish: (converter: number) => number;
  symcache_file_size: () => number;
  symcache_file_write: (file: number) => number;
  limit_page_cache: (bytes: number) => void;
  symcache_open: (file: number, fileSize: number, filenameLength: number, idLength: number) => number;
  page_bytes: () => number;
  symcache_pages: (symcache: number) => number;
  symcache_checksums: (symcache: number) => number;
  symcache_describe: (symcache: number) => number;
  symcache_read_ahead: (symcache: number, pages: number) => number;
  symcache_look_up: (symcache: number, count: number, maxBytes: number) => number;
  columns_at: () => number;
  symcache_free: (symcache: number) => void;
  chunk_pack: (at: number, headerLength: number, length: number) => number;
  chunk_unpack: (at: number, headerLength: number, packedLength: number, length: number) => number;
  output_at: () => number;
}

/** The instance panicked or ran out of memory, and can't be used any more. */
export class WasmTrap extends Error {
  override name = "WasmTrap";
  readonly isOutOfMemory: boolean;

  constructor(message: string, isOutOfMemory: boolean, cause: unknown) {
    super(message, { cause });
    this.isOutOfMemory = isOutOfMemory;
  }
}

const pageBytes = 64 * 1024;
/** As in scripts/build-wasm.sh. */
const minPages = 32;
/** WebAssembly can't address more. */
export const maxWasmBytes = 2 ** 32;

/** Compiles the crate's binary, by default the committed one. */
export async function compileWasm(
  file = new URL("symcache.wasm", import.meta.url),
): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(await readFile(file));
}

/** An instance of the crate. Its memory grows and never shrinks. */
export class WasmInstance {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #files = new Map<number, ReadAt>();
  readonly #sinks = new Map<number, Append>();
  #lastFile = 0;
  #failure: { error: unknown } | undefined;
  #trap: WasmTrap | undefined;

  /** Its memory grows up to `maxMemoryBytes`, and has at least 2 MiB. */
  constructor(wasm: WebAssembly.Module, maxMemoryBytes = maxWasmBytes) {
    const pages = Math.floor(Math.min(maxMemoryBytes, maxWasmBytes) / pageBytes);
    const maximum = Math.max(minPages, pages);
    this.#memory = new WebAssembly.Memory({ initial: minPages, maximum });
    const host = {
      read_at: (file: number, offset: number, into: number, length: number) =>
        this.#read(file, offset, into, length),
      write: (file: number, from: number, length: number) => this.#write(file, from, length),
    };
    this.#exports = new WebAssembly.Instance<Exports>(wasm, { host, env: { memory: this.#memory } }).exports;
  }

  /** The size of its memory. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Calls into the crate. Throws the error of a `ReadAt` or an `Append`, or a `WasmTrap`. */
  call<T>(work: (exports: Exports) => T): T {
    if (this.#trap) throw this.#trap;
    this.#failure = undefined;
    let result;
    try {
      result = work(this.#exports);
    } catch (error) {
      const isOutOfMemory = this.#exports.refused_bytes() > 0;
      const reason = isOutOfMemory ? "out of memory" : this.message() || String(error);
      const message = `${reason} (${this.memoryBytes} bytes of memory)`;
      this.#trap = new WasmTrap(message, isOutOfMemory, error);
      throw this.#trap;
    }
    const failure = this.#failure as { error: unknown } | undefined;
    if (failure) throw failure.error;
    return result;
  }

  /** Puts byte strings, one after the other, where the next call expects them. */
  putInInbox(...pieces: Uint8Array[]): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let at = this.call((exports) => exports.inbox(length)) >>> 0;
    for (const piece of pieces) {
      this.bytes(at, piece.length).set(piece);
      at += piece.length;
    }
  }

  /** The crate's latest message: why a call failed, or the name of the module that was opened. */
  message(): string {
    const { message_at, message_length } = this.#exports;
    return new TextDecoder().decode(this.bytes(message_at() >>> 0, message_length()));
  }

  /** A view of its memory, valid until the next call. */
  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  /** Views of the spans whose addresses and lengths are at `at`, valid until the next call. */
  spans(at: number, count: number): Uint8Array<ArrayBuffer>[] {
    const pairs = new Uint32Array(this.#memory.buffer, at, 2 * count);
    return Array.from({ length: count }, (_, i) => this.bytes(pairs[2 * i] ?? 0, pairs[2 * i + 1] ?? 0));
  }

  /** Makes a file readable for the crate. Returns its id. */
  addFile(readAt: ReadAt): number {
    this.#files.set(++this.#lastFile, readAt);
    return this.#lastFile;
  }

  removeFile(file: number): void {
    this.#files.delete(file);
  }

  /** Lets the crate write to a file, given by an id, while `work` runs. */
  appending(append: Append, work: (exports: Exports, file: number) => void): void {
    const file = ++this.#lastFile;
    this.#sinks.set(file, append);
    try {
      this.call((exports) => work(exports, file));
    } finally {
      this.#sinks.delete(file);
    }
  }

  #read(file: number, offset: number, into: number, length: number): number {
    const readAt = this.#files.get(file);
    if (!readAt) return -1;
    try {
      // An address past 2^31 arrives as a negative number.
      return readAt(this.bytes(into >>> 0, length >>> 0), offset);
    } catch (error) {
      this.#failure = { error };
      return -1;
    }
  }

  #write(file: number, from: number, length: number): number {
    try {
      this.#sinks.get(file)?.(this.bytes(from >>> 0, length >>> 0));
      return 0;
    } catch (error) {
      this.#failure = { error };
      return -1;
    }
  }
}
