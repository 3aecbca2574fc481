import type { ModuleId } from "../../identity/moduleId.ts";
import { WasmInstance, type Append } from "../wasmInstance.ts";

/** By the crate's numbers, from 1 on. `not_a_sym_file` counts as `sym_malformed` in metrics. */
const reasons = ["bad_debug_id", "sym_debug_id_lookup_error", "sym_malformed", "not_a_sym_file"] as const;

/** The sym file can't be converted. The message has less than 1 KB. */
export class ConversionError extends Error {
  override name = "ConversionError";
  readonly reason: (typeof reasons)[number] | "too_large";

  constructor(reason: ConversionError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Takes the text of one module's sym file in pieces, and gives its symcache file. Throws a `ConversionError`. */
export class Converter implements Disposable {
  #instance: WasmInstance | undefined;
  readonly #converter: number;

  constructor(wasm: WebAssembly.Module, module: ModuleId) {
    this.#instance = new WasmInstance(wasm);
    const [filename, id] = [Buffer.from(module.debugFile), Buffer.from(module.debugId)];
    this.#instance.putInInbox(filename, id);
    this.#converter =
      this.#instance.call((exports) => exports.converter_new(filename.length, id.length)) >>> 0;
    if (this.#converter === 0) this.#fail(1);
  }

  /** The size of its memory, which is given back as a whole when the converter is disposed of. */
  get memoryBytes(): number {
    return this.#instance?.memoryBytes ?? 0;
  }

  /** Takes the next bytes. What isn't a sym file, or another module's, is refused within the first 321. */
  push(chunk: Uint8Array): void {
    const instance = this.#alive();
    instance.putInInbox(chunk);
    this.#check(instance.call((exports) => exports.converter_push(this.#converter, chunk.length)));
  }

  /** Ends the text, and gives the size of the symcache file. */
  finish(): number {
    const instance = this.#alive();
    this.#check(instance.call((exports) => exports.converter_finish(this.#converter)));
    return instance.call((exports) => exports.symcache_file_size());
  }

  /** Gives the symcache file to `append` in pieces. Throws what that throws. */
  write(append: Append): void {
    this.#alive().appending(append, (exports, file) => exports.symcache_file_write(file));
  }

  /** Copies the symcache file, for which there must be room. */
  copyInto(bytes: Uint8Array): void {
    let length = 0;
    this.write((piece) => {
      bytes.set(piece, length);
      length += piece.length;
    });
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

  #fail(number: number): never {
    const reason = reasons[number - 1];
    if (!reason) throw new Error(`the crate gave the unknown reason ${number}`);
    throw new ConversionError(reason, this.#alive().message());
  }
}
