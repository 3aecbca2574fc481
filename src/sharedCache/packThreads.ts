import { availableParallelism } from "node:os";
import { Semaphore } from "../async/semaphore.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { Thread } from "../threads/thread.ts";
import type { Failure, PackProtocol, PackThreadData, UnpackAsk } from "./packProtocol.ts";
import { badObject } from "./sharedCacheFault.ts";

const threadEntry = new URL("./packThread.ts", import.meta.url);
const maxUnpackingCores = 4;
/** One frame to unpack, and one waiting. */
const framesPerThread = 2;

/** Threads that unpack chunks of symcache files, and one low-rate thread that packs whole files. */
export class PackThreads implements AsyncDisposable {
  readonly #data: PackThreadData;
  readonly #timeoutMs: number;
  readonly #unpackers: { thread: Thread<PackProtocol>; asks: number }[];
  readonly #frames: Semaphore;
  #packer: Thread<PackProtocol> | undefined;
  #isClosed = false;

  /** Terminates a thread that makes no progress for `timeoutMs`. */
  constructor(wasm: WebAssembly.Module, timeoutMs: number) {
    this.#data = { wasm };
    this.#timeoutMs = timeoutMs;
    // One more than there are cores, because one of them usually waits for the disk.
    const count = Math.min(availableParallelism(), maxUnpackingCores) + 1;
    this.#unpackers = Array.from({ length: count }, () => ({ thread: this.#newThread(), asks: 0 }));
    this.#frames = new Semaphore(framesPerThread * count);
  }

  /** Packs a symcache file into an open one; undefined if it was evicted. Throws a ThreadEnded. */
  async pack(path: string, file: number): Promise<{ bytes: number; sha256: string } | undefined> {
    if (!this.#packer || this.#mustReplace(this.#packer)) this.#packer = this.#newThread();
    return await this.#packer.ask("pack", { path, file });
  }

  /**
   * Writes the content of a frame to its file and returns the checksums of its pages. Throws a SharedCacheFault, the disk's
   * error or a ThreadEnded.
   */
  async unpack(ask: UnpackAsk): Promise<Uint8Array> {
    const result = await this.#ask((thread) => thread.ask("unpack", ask, [ask.frame]));
    throwFailure(result);
    return result.checksums;
  }

  /** Throws like unpack() if the file is not the module's symcache. */
  async check(path: string, module: ModuleId, checksums: Uint8Array): Promise<void> {
    throwFailure(await this.#ask((thread) => thread.ask("check", { path, module, checksums })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const threads = this.#unpackers.map(({ thread }) => thread);
    if (this.#packer) threads.push(this.#packer);
    await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #ask<Result>(work: (thread: Thread<PackProtocol>) => Promise<Result>): Promise<Result> {
    return this.#frames.run(async () => {
      const idlest = this.#unpackers.reduce((one, other) => (other.asks < one.asks ? other : one));
      if (this.#mustReplace(idlest.thread)) idlest.thread = this.#newThread();
      idlest.asks++;
      try {
        return await work(idlest.thread);
      } finally {
        idlest.asks--;
      }
    });
  }

  /** After close(), asks that still wait must fail in the ended thread. */
  #mustReplace(thread: Thread<PackProtocol>): boolean {
    return thread.hasEnded && !this.#isClosed;
  }

  #newThread(): Thread<PackProtocol> {
    return new Thread(threadEntry, this.#data, this.#timeoutMs);
  }
}

function throwFailure<Result extends object>(result: Result | Failure): asserts result is Result {
  if (!("failure" in result)) return;
  throw result.failure === "damage" ? badObject(result.message) : new Error(result.message);
}
