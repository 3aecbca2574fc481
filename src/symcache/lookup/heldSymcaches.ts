import { open } from "node:fs/promises";
import type { ModuleId } from "../../identity/moduleId.ts";
import { collectGarbage } from "../collectGarbage.ts";
import { Symcache } from "../symcache.ts";
import { identify, isOutOfHandles, openFile, readOnly } from "../symcacheFile.ts";
import { WasmInstance, WasmTrap } from "../wasmInstance.ts";

/** Pages that are read, and checked before other work has its turn: a third of a millisecond. */
const piecePages = 256;

/** Bytes that an instance takes beside the symcache that it holds, with what some lookups need. */
export const heldOverhead = 8e6;

interface Held {
  identity: string;
  instance: WasmInstance;
  symcache: Symcache;
  isWhole: boolean;
  /** Why it can't be held. */
  fault?: unknown;
}

/** Symcaches that are held in memory as a whole, each in an instance of its own: it is the way to give the memory back. */
export class HeldSymcaches {
  readonly #wasm: WebAssembly.Module;
  readonly #held = new Map<string, Held>();

  constructor(wasm: WebAssembly.Module) {
    this.#wasm = wasm;
  }

  /**
   * The symcache of the file at `path` if it is wholly in memory; one of another `identity` is released. Throws what
   * was found in the background to be wrong with the file.
   */
  get(path: string, identity: string): Symcache | undefined {
    const held = this.#held.get(path);
    if (held?.identity !== identity) {
      this.release(path);
      return undefined;
    }
    if (held.fault !== undefined) throw held.fault;
    return held.isWhole ? held.symcache : undefined;
  }

  /** Whether the file at `path` is on the way into memory. */
  isReading(path: string): boolean {
    const held = this.#held.get(path);
    return held !== undefined && !held.isWhole && held.fault === undefined;
  }

  /** The memory that it takes, in bytes, or undefined where the file at `path` is neither held nor on the way. */
  memoryBytes(path: string): number | undefined {
    return this.#held.get(path)?.instance.memoryBytes;
  }

  /** Begins to read a file into memory, between other work. Throws as Symcache.open() does. */
  hold(path: string, module: ModuleId): void {
    const instance = new WasmInstance(this.#wasm);
    const identity = identify(path);
    using file = openFile(path);
    const symcache = Symcache.open(instance, file.readAt, file.size, module);
    const held: Held = { identity, instance, symcache, isWhole: false };
    this.#held.set(path, held);
    this.#fill(path, held).catch((error: unknown) => {
      // Want of memory, or of file handles, is no fault of the file.
      if (error instanceof WasmTrap || isOutOfHandles(error)) this.release(path);
      else held.fault = error;
    });
  }

  release(path: string): void {
    if (this.#held.delete(path)) collectGarbage();
  }

  async #fill(path: string, held: Held): Promise<void> {
    await using file = await open(path, readOnly);
    const { symcache } = held;
    for (let at = 0; !held.isWhole && this.#held.get(path) === held;) {
      const room = symcache.room(piecePages);
      // What a file that was cut leaves empty has a wrong checksum.
      await file.read(room, 0, room.length, at);
      at += room.length;
      held.isWhole = symcache.hold();
    }
  }
}
