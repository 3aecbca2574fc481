import { LRUCache } from "lru-cache";
import type { ModuleId } from "../../identity/moduleId.ts";
import { collectGarbage } from "../collectGarbage.ts";
import { pageBytes, Symcache } from "../symcache.ts";
import { isOutOfHandles, openFile, type SymcacheFile } from "../symcacheFile.ts";
import { WasmInstance } from "../wasmInstance.ts";

/** Files that each lookup thread has open at once. */
export const mostFiles = 128;
/** Milliseconds that a file stays open unused: for as long an evicted one still takes its place on the disk. */
const longestIdle = 20_000;
const idleCheckInterval = 5_000;

interface Opened {
  identity: string;
  file: SymcacheFile;
  symcache: Symcache;
}

/** Symcache files that stay open between lookups, with the pages that were read of them, in bounded memory. */
export class OpenSymcaches {
  readonly #wasm: WebAssembly.Module;
  readonly #memory: number;
  #instance: WasmInstance;
  readonly #opened = new LRUCache<string, Opened>({
    max: mostFiles,
    ttl: longestIdle,
    updateAgeOnGet: true,
    dispose: ({ file, symcache }) => {
      symcache[Symbol.dispose]();
      file[Symbol.dispose]();
    },
  });

  /** `memory`: bytes, half of them for pages, the rest for what is known of each file, and for answers. */
  constructor(wasm: WebAssembly.Module, memory: number) {
    this.#wasm = wasm;
    this.#memory = memory;
    this.#instance = this.#newInstance();
    setInterval(() => this.#opened.purgeStale(), idleCheckInterval).unref();
  }

  /**
   * The symcache of the file at `path`, which is opened if it isn't open, or if what is open isn't `identity`.
   * Throws as Symcache.open() does.
   */
  get(path: string, identity: string, module: ModuleId): Symcache {
    const before = this.#opened.get(path);
    if (before?.identity === identity) return before.symcache;
    this.close(path);
    const file = this.#openFile(path);
    try {
      const symcache = Symcache.open(this.#instance, file.readAt, file.size, module);
      this.#opened.set(path, { identity, file, symcache });
      return symcache;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** Opens a symcache for one lookup. */
  openOnce(file: SymcacheFile, module: ModuleId): Symcache {
    return Symcache.open(this.#instance, file.readAt, file.size, module);
  }

  close(path: string): void {
    this.#opened.delete(path);
  }

  /** Starts anew where lookups took more memory than there is for them, for WebAssembly gives none back. */
  keepWithinMemory(): void {
    if (this.#instance.memoryBytes <= this.#memory) return;
    this.#opened.clear();
    this.#instance = this.#newInstance();
    collectGarbage();
  }

  /** Where the process has too many files open, those that are open here make room. */
  #openFile(path: string): SymcacheFile {
    try {
      return openFile(path);
    } catch (error) {
      if (!isOutOfHandles(error)) throw error;
      this.#opened.clear();
      return openFile(path);
    }
  }

  #newInstance(): WasmInstance {
    const instance = new WasmInstance(this.#wasm);
    instance.call((exports) => exports.keep_pages(Math.floor(this.#memory / 2 / pageBytes)));
    return instance;
  }
}
