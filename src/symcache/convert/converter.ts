import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { hasCodeId, type ModuleId } from "../../identity/moduleId.ts";
import { maxWasmBytes, WasmInstance, WasmTrap, type Append } from "../wasmInstance.ts";

/** The crate returns their indexes, counted from 1. Metrics count `not_a_sym_file` as `sym_malformed`. */
const reasons = ["bad_debug_id", "sym_debug_id_lookup_error", "sym_malformed", "not_a_sym_file"] as const;

/** The sym file can't be converted. The message has less than 1 KB of text. */
export class ConversionError extends Error {
  override name = "ConversionError";
  readonly reason: (typeof reasons)[number] | "too_large";

  constructor(reason: ConversionError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Converts the text of one sym file, pushed in chunks, into a symcache file. Methods throw a `ConversionError`. */
export class Converter implements Disposable {
  #instance: WasmInstance | undefined;
  readonly #maxMemoryBytes: number;
  readonly #converter: number;
  /** Until the first chunk. */
  #module: ModuleId | undefined;
  /** The MODULE record's name if it differs from the debug filename, once the first chunk has arrived. */
  otherName: string | undefined;

  /** `maxMemoryBytes`: a sym file that needs more is `too_large`. */
  constructor(wasm: WebAssembly.Module, module: ModuleId, maxMemoryBytes = maxWasmBytes) {
    this.#instance = new WasmInstance(wasm, maxMemoryBytes);
    this.#maxMemoryBytes = maxMemoryBytes;
    const [filename, id] = [Buffer.from(module.debugFile), Buffer.from(module.debugId)];
    this.#converter = this.#withinMemory((instance) => {
      // The last 16 bytes are the key of its hash table.
      instance.putInInbox(filename, id, randomBytes(16));
      return instance.call((exports) => exports.converter_new(filename.length, id.length)) >>> 0;
    });
    if (this.#converter === 0) this.#fail(1);
    this.#module = module;
  }

  /** The size of its WebAssembly memory, which is freed when the converter is disposed of. */
  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0;
  }

  /**
   * Converts the next bytes. A file that is not a sym file, or that belongs to another module, is rejected within 321 bytes. If
   * the module has a code id, the first chunk must contain the MODULE record, which may have any debug id.
   */
  push(chunk: Uint8Array): void {
    const text = this.#module ? this.#checkModule(chunk, this.#module) : chunk;
    this.#module = undefined;
    this.#check((instance) => {
      instance.putInInbox(text);
      return instance.call((exports) => exports.converter_push(this.#converter, text.length));
    });
  }

  /** Ends the text and returns the size of the symcache file. */
  finish(): number {
    this.#check((instance) => instance.call((exports) => exports.converter_finish(this.#converter)));
    return this.#alive().call((exports) => exports.symcache_file_size());
  }

  /** Passes the symcache file to `append` in pieces. Throws its errors. */
  write(append: Append): void {
    this.#alive().appending(append, (exports, file) => exports.symcache_file_write(file));
  }

  /** Writes the symcache to a file, and calls `progress` after each piece. Throws the disk's error. */
  writeFile(path: string, flags: "w" | "wx", progress?: () => void): void {
    const file = openSync(path, flags);
    try {
      this.write((piece) => {
        for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
        progress?.();
      });
    } finally {
      closeSync(file);
    }
  }

  /** A copy of the symcache file, which counts as memory of the conversion. */
  copy(): SharedArrayBuffer {
    const size = this.#alive().call((exports) => exports.symcache_file_size());
    if (this.memoryBytes + size > this.#maxMemoryBytes) throw this.#tooLarge();
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let length = 0;
    this.write((piece) => {
      bytes.set(piece, length);
      length += piece.length;
    });
    return bytes.buffer;
  }

  [Symbol.dispose](): void {
    this.#instance = undefined;
  }

  #alive(): WasmInstance {
    if (!this.#instance) throw new Error("the converter was disposed of");
    return this.#instance;
  }

  /** Returns the first chunk, with the code id as its debug id if the module has one. */
  #checkModule(start: Uint8Array, module: ModuleId): Uint8Array {
    if (hasCodeId(module)) return replaceDebugId(start, module.debugId);
    const record = Buffer.from(start.subarray(0, maxRecordBytes)).toString();
    const name = /^MODULE \S+ \S+ \S+ (.*)\n/.exec(record)?.[1]?.trim();
    if (name?.toLowerCase() !== module.debugFile.toLowerCase()) this.otherName = name;
    return start;
  }

  #check(step: (instance: WasmInstance) => number): void {
    const code = this.#withinMemory(step);
    if (code !== 0) this.#fail(code);
  }

  #withinMemory(step: (instance: WasmInstance) => number): number {
    const instance = this.#alive();
    try {
      return step(instance);
    } catch (error) {
      throw error instanceof WasmTrap && error.isOutOfMemory ? this.#tooLarge() : error;
    }
  }

  #tooLarge(): ConversionError {
    const megabytes = Math.floor(this.#maxMemoryBytes / 1e6);
    return new ConversionError(
      "too_large",
      `its conversion needs more than ${megabytes} MB of memory, the most that ELIOT_CONVERTER_MEMORY or the memory limit allows`,
    );
  }

  #fail(code: number): never {
    const reason = reasons[code - 1];
    if (!reason) throw new Error(`the crate returned the unknown reason ${code}`);
    throw new ConversionError(reason, this.#alive().message());
  }
}

/** The crate looks for the MODULE record in the first bytes, and accepts only the id that was asked for. */
const maxRecordBytes = 320;

function replaceDebugId(start: Uint8Array, codeId: string): Uint8Array {
  const text = Buffer.from(start.subarray(0, maxRecordBytes)).toString("latin1");
  const [record, beforeId = ""] = /^(MODULE \S+ \S+ )[0-9A-Fa-f]+(?= )/.exec(text) ?? [];
  return record === undefined
    ? start
    : Buffer.concat([Buffer.from(beforeId + codeId), start.subarray(record.length)]);
}
