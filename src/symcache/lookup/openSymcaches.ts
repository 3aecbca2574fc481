import { LRUCache } from "lru-cache";
import type { ModuleId } from "../../identity/moduleId.ts";
import { collectGarbage } from "../collectGarbage.ts";
import { Symcache, SymcacheDamaged } from "../symcache.ts";
import { identify, isOutOfHandles, openFile, type SymcacheFile } from "../symcacheFile.ts";
import { WasmInstance } from "../wasmInstance.ts";

/** Files that each lookup thread keeps open. */
export const maxOpenFiles = 128;
/** Symcaches whose pages are kept; their files may be closed. */
const maxSymcaches = 1000;
/** An unused file is closed after this time: an evicted file keeps its disk space while it stays open. */
const maxIdleMs = 20_000;
const idleCheckIntervalMs = 5_000;
/** Part of the memory that is not for pages: checksums, page tables and the code's own data. */
const overheadBytes = 16e6;
/** Memory that lookups may take beside the page cache before everything is dropped. */
const maxWorkingBytes = 160e6;
/** WebAssembly can't address more than 4 GiB. */
const maxPageCacheBytes = 3.5e9;
/** A symcache that was looked up this often is read ahead. */
const usesToReadAhead = 3;
/** Pages that are read ahead before other requests can run: it takes a third of a millisecond. */
const slicePages = 256;

interface Opened {
  identity: string;
  bytes: number;
  symcache: Symcache;
  /** The latest uses, the oldest of them first. */
  uses: number[];
  /** Whether lookups had to read pages since the symcache was last read ahead. */
  hasMisses: boolean;
  isReadAhead: boolean;
  /** Damage found while reading ahead. */
  damage?: SymcacheDamaged;
}

/** Open symcaches, which share one page cache. Those that are used repeatedly are read ahead into it. */
export class OpenSymcaches {
  readonly #wasm: WebAssembly.Module;
  readonly #memoryBytes: number;
  readonly #cacheBytes: number;
  #instance: WasmInstance;
  readonly #symcaches = new LRUCache<string, Opened>({
    max: maxSymcaches,
    dispose: ({ symcache }) => symcache[Symbol.dispose](),
  });
  readonly #files = new LRUCache<string, SymcacheFile>({
    max: maxOpenFiles,
    ttl: maxIdleMs,
    updateAgeOnGet: true,
    dispose: (file) => file[Symbol.dispose](),
  });
  #uses = 0;
  readonly #readAheadQueue = new Set<string>();

  /** `memoryBytes`: for the page cache and what is known of each file. */
  constructor(wasm: WebAssembly.Module, memoryBytes: number) {
    this.#wasm = wasm;
    this.#memoryBytes = memoryBytes;
    this.#cacheBytes = Math.min(Math.max(memoryBytes - overheadBytes, memoryBytes / 2), maxPageCacheBytes);
    this.#instance = this.#newInstance();
    setInterval(() => this.#files.purgeStale(), idleCheckIntervalMs).unref();
  }

  /**
   * The symcache of the file at `path`, opened unless it is open already and the file unchanged. Throws as Symcache.open()
   * does.
   */
  get(path: string, module: ModuleId): Symcache {
    const identity = identify(path);
    const opened = this.#symcaches.get(path);
    if (opened?.identity === identity) {
      if (opened.damage) throw opened.damage;
      opened.uses = [...opened.uses, ++this.#uses].slice(-usesToReadAhead);
      return opened.symcache;
    }
    this.close(path);
    return this.#open(path, module).symcache;
  }

  /** Opens a symcache for one lookup. */
  openOnce(file: SymcacheFile, module: ModuleId): Symcache {
    return Symcache.open(this.#instance, file.readAt, file.size, module);
  }

  close(path: string): void {
    this.#symcaches.delete(path);
    this.#files.delete(path);
  }

  /**
   * Reads the symcache ahead in the background if it is used often enough, without displacing others that are used as
   * often: more symcaches than fit, used one after the other, would only displace each other.
   */
  considerReadAhead(path: string): void {
    const opened = this.#symcaches.get(path);
    if (!opened?.hasMisses || opened.uses.length < usesToReadAhead) return;
    const [since = 0] = opened.uses;
    let bytes = opened.bytes;
    for (const other of this.#symcaches.values())
      if (other !== opened && other.isReadAhead && (other.uses.at(-1) ?? 0) >= since) bytes += other.bytes;
    if (bytes > this.#cacheBytes) return;
    opened.isReadAhead = true;
    if (this.#readAheadQueue.size === 0) setImmediate(() => this.#readAheadInBackground());
    this.#readAheadQueue.add(path);
  }

  /** Reads the next slice of a symcache ahead. Returns whether that was the last; so is a slice that can't be read. */
  readAhead(path: string, module?: ModuleId): boolean {
    let opened: Opened | undefined;
    try {
      opened = this.#symcaches.get(path) ?? (module && this.#open(path, module));
      if (!opened) return true;
      opened.isReadAhead = true;
      const isEnd = opened.symcache.readAhead(slicePages);
      if (isEnd) opened.hasMisses = false;
      return isEnd;
    } catch (error) {
      if (error instanceof SymcacheDamaged && opened) opened.damage = error;
      else if (!(error instanceof SymcacheDamaged) && !(error instanceof Error && "code" in error))
        throw error;
      return true;
    }
  }

  /** Drops everything after a lookup that took much memory, because WebAssembly doesn't give memory back. */
  limitMemory(): void {
    if (this.#instance.memoryBytes <= this.#memoryBytes + maxWorkingBytes) return;
    this.#symcaches.clear();
    this.#files.clear();
    this.#instance = this.#newInstance();
    collectGarbage();
  }

  #readAheadInBackground(): void {
    const [path] = this.#readAheadQueue;
    if (path === undefined) return;
    if (this.readAhead(path)) this.#readAheadQueue.delete(path);
    setImmediate(() => this.#readAheadInBackground());
  }

  #open(path: string, module: ModuleId): Opened {
    const { identity, size: bytes } = this.#file(path);
    const opened = { identity, bytes, uses: [++this.#uses], hasMisses: true, isReadAhead: false };
    const readAt = (into: Uint8Array, offset: number) => {
      opened.hasMisses = true;
      const file = this.#file(path);
      if (file.identity === identity) return file.readAt(into, offset);
      throw Object.assign(new Error("the symcache was replaced"), { code: "ESTALE", syscall: "open" });
    };
    const symcache = Symcache.open(this.#instance, readAt, bytes, module);
    const complete = Object.assign(opened, { symcache });
    this.#symcaches.set(path, complete);
    return complete;
  }

  /** The file at `path`, opened if it isn't. When the process has too many files open, this thread closes its own. */
  #file(path: string): SymcacheFile {
    let file = this.#files.get(path);
    if (file) return file;
    try {
      file = openFile(path);
    } catch (error) {
      if (!isOutOfHandles(error)) throw error;
      this.#files.clear();
      file = openFile(path);
    }
    this.#files.set(path, file);
    return file;
  }

  #newInstance(): WasmInstance {
    const instance = new WasmInstance(this.#wasm);
    instance.call((exports) => exports.limit_page_cache(this.#cacheBytes));
    return instance;
  }
}
