import type { ModuleId } from "../identity/moduleId.ts";
import { AnswerTooLarge, type Locations } from "./lookup/locations.ts";
import type { ReadAt, WasmInstance } from "./wasmInstance.ts";

/** The file isn't the module's symcache as it was written: to be treated as a miss. */
export class SymcacheDamaged extends Error {
  override name = "SymcacheDamaged";
}

/** Bytes of a page, of which each has a checksum. */
export const pageBytes = 4096;

/** Columns of an answer by the crate's numbers. */
const columns = {
  starts: 0,
  functionStarts: 1,
  rowStarts: 2,
  functionEnds: 3,
  rowEnds: 4,
  ends: 5,
  text: 6,
};

/** An open symcache file. Many can be open in one instance; disposing of one closes it, not its file. */
export class Symcache implements Disposable {
  /** The module's name in answers: `xul.dll` for `xul.pdb`. */
  readonly moduleName: string;
  readonly #instance: WasmInstance;
  readonly #file: number;
  #symcache: number;
  #heldBytes = 0;
  #roomBytes = 0;

  /** Opens a file of `size` bytes. Throws `SymcacheDamaged`, or what `readAt` throws. */
  static open(instance: WasmInstance, readAt: ReadAt, size: number, module: ModuleId): Symcache {
    const [filename, id] = [Buffer.from(module.debugFile), Buffer.from(module.debugId)];
    const file = instance.addFile(readAt);
    try {
      instance.putInInbox(filename, id);
      const symcache =
        instance.call((exports) => exports.symcache_open(file, size, filename.length, id.length)) >>> 0;
      if (symcache === 0) throw new SymcacheDamaged(instance.message());
      return new Symcache(instance, file, symcache, instance.message());
    } catch (error) {
      instance.removeFile(file);
      throw error;
    }
  }

  private constructor(instance: WasmInstance, file: number, symcache: number, moduleName: string) {
    this.#instance = instance;
    this.#file = file;
    this.#symcache = symcache;
    this.moduleName = moduleName;
  }

  /** How many bytes of the file are held, where it is. */
  get payloadBytes(): number {
    return this.#instance.call((exports) => exports.symcache_payload_length(this.#symcache));
  }

  /**
   * Room for the next bytes of the file, from its beginning on: of so many pages, or what is left. It is good until the
   * instance's next call.
   */
  room(pages: number): Uint8Array {
    const at = this.#instance.call((exports) => exports.symcache_room(this.#symcache, pages)) >>> 0;
    this.#roomBytes = Math.min(pages * pageBytes, this.payloadBytes - this.#heldBytes);
    return this.#instance.bytes(at, this.#roomBytes);
  }

  /**
   * Holds what was put into the room. Once that was the last, which is the answer, lookups don't read the file any more.
   * Throws `SymcacheDamaged`.
   */
  hold(): boolean {
    const state = this.#instance.call((exports) => exports.symcache_hold(this.#symcache));
    if (state === 1) throw new SymcacheDamaged(this.#instance.message());
    this.#heldBytes += this.#roomBytes;
    return state === 2;
  }

  /**
   * The source locations of offsets into the module, in their order. Throws as `open` does, or `AnswerTooLarge` where they
   * have more than `mostBytes` of text.
   */
  lookUp(offsets: Uint32Array, mostBytes = Infinity): Locations {
    if (this.#symcache === 0) throw new Error("the symcache was closed");
    this.#instance.putInInbox(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength));
    const failed = this.#instance.call((exports) =>
      exports.symcache_look_up(this.#symcache, offsets.length, mostBytes),
    );
    if (failed === 2) throw new AnswerTooLarge();
    if (failed) throw new SymcacheDamaged(this.#instance.message());
    return this.#copyColumns();
  }

  [Symbol.dispose](): void {
    if (this.#symcache === 0) return;
    this.#instance.call((exports) => exports.symcache_free(this.#symcache));
    this.#instance.removeFile(this.#file);
    this.#symcache = 0;
  }

  /** All columns in one buffer: to hand over one, and to free it, takes less time than seven. */
  #copyColumns(): Locations {
    const spans = Object.values(columns).map((column) => this.#bytes(column));
    const buffer = new ArrayBuffer(spans.reduce((sum, span) => sum + span.length, 0));
    let end = 0;
    const place = (column: number) => {
      const span = spans[column] ?? new Uint8Array();
      const bytes = new Uint8Array(buffer, end, span.length);
      bytes.set(span);
      end += span.length;
      return bytes;
    };
    // The bytes come last, so that the numbers lie at multiples of 4.
    const numbers = (column: number) => {
      const { byteOffset, length } = place(column);
      return new Uint32Array(buffer, byteOffset, length / 4);
    };
    return {
      starts: numbers(columns.starts),
      functionStarts: numbers(columns.functionStarts),
      rowStarts: numbers(columns.rowStarts),
      functionEnds: numbers(columns.functionEnds),
      rowEnds: numbers(columns.rowEnds),
      ends: numbers(columns.ends),
      text: place(columns.text),
    };
  }

  #bytes(column: number): Uint8Array<ArrayBuffer> {
    return this.#instance.call((exports) =>
      this.#instance.bytes(exports.column_at(column) >>> 0, exports.column_length(column) >>> 0),
    );
  }
}
