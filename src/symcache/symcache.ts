import type { ModuleId } from "../identity/moduleId.ts";
import { ResultTooLarge, emptyLocations, type Locations } from "./lookup/locations.ts";
import type { ReadAt, WasmInstance } from "./wasmInstance.ts";

/** The file is not the module's symcache, or its bytes have changed: to be treated as a cache miss. */
export class SymcacheDamaged extends Error {
  override name = "SymcacheDamaged";
}

/** What a symcache file says of itself. */
export interface SymcacheContents {
  /** Of Symbolic's format. */
  version: number;
  debugFilename: string;
  debugId: string;
  /** Numbers of records. */
  files: number;
  functions: number;
  sourceLocations: number;
  ranges: number;
  stringBytes: number;
  /** Bytes before the trailer. */
  payloadBytes: number;
  /** Where the first and the last range begin, relative to the module; absent without ranges. */
  firstAddress?: number;
  lastAddress?: number;
}

/** An open symcache file. Many can be open in one instance; disposing of one does not close its file. */
export class Symcache implements Disposable {
  /** The module's name in responses: `xul.dll` for `xul.pdb`. */
  readonly moduleName: string;
  readonly #instance: WasmInstance;
  readonly #file: number;
  #symcache: number;

  /**
   * Opens the file of a module, or of any module if none is given. Throws `SymcacheDamaged`, or what `readAt` throws.
   * `size`: in bytes.
   */
  static open(instance: WasmInstance, readAt: ReadAt, size: number, module?: ModuleId): Symcache {
    const [filename, id] = [Buffer.from(module?.debugFile ?? ""), Buffer.from(module?.debugId ?? "")];
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

  /** The length of a page; each has a checksum of its own. */
  get pageBytes(): number {
    return this.#instance.call((exports) => exports.page_bytes());
  }

  get pages(): number {
    return this.#instance.call((exports) => exports.symcache_pages(this.#symcache));
  }

  /** The checksums of all pages, 8 bytes each, good until the instance's next call. */
  get checksums(): Uint8Array {
    const at = this.#instance.call((exports) => exports.symcache_checksums(this.#symcache)) >>> 0;
    return this.#instance.bytes(at, 8 * this.pages);
  }

  /** What the file says of itself. Throws as `open` does. */
  describe(): SymcacheContents {
    const length = this.#instance.call((exports) => exports.symcache_describe(this.#symcache));
    const at = this.#instance.call((exports) => exports.output_at()) >>> 0;
    return JSON.parse(Buffer.from(this.#instance.bytes(at, length)).toString()) as SymcacheContents;
  }

  /**
   * Reads the next `pages` into the page cache, unless they are there. Returns whether those were the last; the next call
   * then begins again. Throws as `open` does.
   */
  readAhead(pages: number): boolean {
    const state = this.#instance.call((exports) => exports.symcache_read_ahead(this.#symcache, pages));
    if (state === 1) throw new SymcacheDamaged(this.#instance.message());
    return state === 2;
  }

  /**
   * The source locations of offsets into the module, in their order. Throws as `open` does, or `ResultTooLarge` if they have
   * more than `maxBytes` of text.
   */
  lookUp(offsets: Uint32Array, maxBytes = Infinity): Locations {
    if (this.#symcache === 0) throw new Error("the symcache was closed");
    this.#instance.putInInbox(new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength));
    const failed = this.#instance.call((exports) =>
      exports.symcache_look_up(this.#symcache, offsets.length, maxBytes),
    );
    if (failed === 2) throw new ResultTooLarge();
    if (failed) throw new SymcacheDamaged(this.#instance.message());
    return this.#copyColumns(offsets.length);
  }

  [Symbol.dispose](): void {
    if (this.#symcache === 0) return;
    this.#instance.call((exports) => exports.symcache_free(this.#symcache));
    this.#instance.removeFile(this.#file);
    this.#symcache = 0;
  }

  /** Copies the columns of the latest lookup. */
  #copyColumns(offsets: number): Locations {
    const spans = this.#instance.spans(this.#instance.call((exports) => exports.columns_at()) >>> 0, 7);
    const [, , rowStarts, , , , text] = spans.map(({ length }) => length);
    const locations = emptyLocations(offsets, (rowStarts ?? 0) / 4, text ?? 0);
    const bytes = new Uint8Array(locations.text.buffer);
    let end = 0;
    for (const span of spans) {
      bytes.set(span, end);
      end += span.length;
    }
    return locations;
  }
}
