import { Thread } from "../threads/thread.ts";
import type { LookupAnswer, LookupProtocol, SymcacheBytes, SymcacheModule } from "./messages.ts";

const entry = new URL("./lookupThread.ts", import.meta.url);

/** Threads that look offsets up. Each module belongs to one of them, so that what was read of it is in one place. */
export class Lookups implements AsyncDisposable {
  readonly #wasm: WebAssembly.Module;
  readonly #threads: Thread<LookupProtocol>[];

  constructor(wasm: WebAssembly.Module, threads: number) {
    this.#wasm = wasm;
    this.#threads = Array.from({ length: threads }, () => new Thread(entry, wasm));
  }

  /** The source locations of `offsets`, in their order, or why there are none. Throws a ThreadEnded. */
  lookUp(
    module: SymcacheModule,
    symcache: SymcacheBytes,
    offsets: Uint32Array<ArrayBuffer>,
  ): Promise<LookupAnswer> {
    return this.#thread(hash(module) % this.#threads.length).ask("lookUp", { module, symcache, offsets });
  }

  /** Lets every thread convert and look up a few lines. Throws where one gives a wrong answer or none. */
  async selfTest(): Promise<void> {
    const passed = this.#threads.map((_, number) => this.#thread(number).ask("selfTest", undefined));
    if (!(await Promise.all(passed)).every(Boolean)) throw new Error("the WebAssembly gave a wrong answer");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  /** The thread of that number, a new one where it has crashed. */
  #thread(number: number): Thread<LookupProtocol> {
    const thread = this.#threads[number];
    if (thread && !thread.hasEnded) return thread;
    return (this.#threads[number] = new Thread(entry, this.#wasm));
  }
}

function hash({ debugFilename, debugId }: SymcacheModule): number {
  let sum = 0;
  for (const character of debugFilename + debugId) sum = (Math.imul(sum, 31) + character.charCodeAt(0)) >>> 0;
  return sum;
}
