import { availableParallelism } from "node:os";
import { Semaphore } from "../async/semaphore.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { Thread } from "../threads/thread.ts";
import type { Failure, PackProtocol } from "./packThread.ts";
import { BadObject } from "./sharedCacheFault.ts";

const threadEntry = new URL("./packThread.ts", import.meta.url);
const maxUnpackingCores = 4;
/** One frame to unpack, and one waiting. */
const framesPerThread = 2;

/** Threads that unpack chunks of symcache files, and one low-rate thread that packs whole files. */
export class PackThreads implements AsyncDisposable {
  readonly #startThread: () => Thread<PackProtocol>;
  #unpackers: Thread<PackProtocol>[];
  readonly #frames: Semaphore;
  #packer: Thread<PackProtocol> | undefined;
  #isClosed = false;

  /** Terminates a thread that makes no progress for `timeoutMs`. */
  constructor(wasm: WebAssembly.Module, timeoutMs: number) {
    this.#startThread = () => new Thread(threadEntry, wasm, timeoutMs);
    // One more than there are cores, because one of them usually waits for the disk.
    const count = Math.min(availableParallelism(), maxUnpackingCores) + 1;
    this.#unpackers = Array.from({ length: count }, this.#startThread);
    this.#frames = new Semaphore(framesPerThread * count);
  }

  /** Packs a symcache file into an open one; undefined if it was evicted. Throws a ThreadEnded. */
  async pack(path: string, file: number): Promise<{ bytes: number; sha256: string } | undefined> {
    this.#packer = this.#packer ? this.#revive(this.#packer) : this.#startThread();
    return await this.#packer.ask("pack", { path, file });
  }

  /**
   * Writes the content of a frame to its file and returns the checksums of its pages. The frame can't be used afterwards.
   * Throws a BadObject, the disk's error or a ThreadEnded.
   */
  async unpack(
    ask: Parameters<PackProtocol["unpack"]>[0] & { frame: Buffer<ArrayBuffer> },
  ): Promise<Uint8Array> {
    const result = await this.#ask((thread) => thread.ask("unpack", ask, [ask.frame.buffer]));
    throwFailure(result);
    return result.checksums;
  }

  /** Throws like unpack() if the file is not the module's symcache. */
  async check(path: string, module: ModuleId, checksums: Uint8Array): Promise<void> {
    throwFailure(await this.#ask((thread) => thread.ask("check", { path, module, checksums })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const threads = [...this.#unpackers, ...(this.#packer ? [this.#packer] : [])];
    await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #ask<Result>(work: (thread: Thread<PackProtocol>) => Promise<Result>): Promise<Result> {
    return this.#frames.run(() => {
      this.#unpackers = this.#unpackers.map((thread) => this.#revive(thread));
      return work(this.#unpackers.reduce((a, b) => (b.pendingAsks < a.pendingAsks ? b : a)));
    });
  }

  /** Replaces a thread that has ended. After disposal, asks that still wait must fail in the ended thread. */
  #revive(thread: Thread<PackProtocol>): Thread<PackProtocol> {
    return thread.hasEnded && !this.#isClosed ? this.#startThread() : thread;
  }
}

function throwFailure<Result extends object>(result: Result | Failure): asserts result is Result {
  if (!("failure" in result)) return;
  throw result.failure === "damage" ? new BadObject(result.message) : new Error(result.message);
}
