import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { hasCodeId, type ModuleId } from "../../identity/moduleId.ts";
import { WasmInstance, type Append } from "../wasmInstance.ts";

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
  readonly #converter: number;
  /** Until the first chunk. */
  #codeId: string | undefined;

  constructor(wasm: WebAssembly.Module, module: ModuleId) {
    this.#instance = new WasmInstance(wasm);
    const [filename, id] = [Buffer.from(module.debugFile), Buffer.from(module.debugId)];
    // The key of its hash table.
    this.#instance.putInInbox(filename, id, randomBytes(16));
    this.#converter =
      this.#instance.call((exports) => exports.converter_new(filename.length, id.length)) >>> 0;
    if (this.#converter === 0) this.#fail(1);
    if (hasCodeId(module)) this.#codeId = module.debugId;
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
    const instance = this.#alive();
    const text = this.#codeId === undefined ? chunk : replaceDebugId(chunk, this.#codeId);
    this.#codeId = undefined;
    instance.putInInbox(text);
    this.#check(instance.call((exports) => exports.converter_push(this.#converter, text.length)));
  }

  /** Ends the text and returns the size of the symcache file. */
  finish(): number {
    const instance = this.#alive();
    this.#check(instance.call((exports) => exports.converter_finish(this.#converter)));
    return instance.call((exports) => exports.symcache_file_size());
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

  /** A copy of the symcache file. */
  copy(): SharedArrayBuffer {
    const bytes = new Uint8Array(
      new SharedArrayBuffer(this.#alive().call((exports) => exports.symcache_file_size())),
    );
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

  #check(reason: number): void {
    if (reason !== 0) this.#fail(reason);
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
