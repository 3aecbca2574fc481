import { availableParallelism } from "node:os";
import { Semaphore } from "../async/semaphore.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { Thread } from "../threads/thread.ts";
import type { PackProtocol, PackThreadData, UnpackAsk } from "./packMessages.ts";
import { badObject } from "./sharedCacheFault.ts";

const entry = new URL("./packThread.ts", import.meta.url);
/** Cores that unpack. */
const mostCores = 4;
/** Frames that lie with each of them: one to work at, and one to follow. */
const framesEach = 2;

/** Threads that unpack symcache files chunk by chunk, and one that packs them: that may take its time. */
export class PackThreads implements AsyncDisposable {
  readonly #data: PackThreadData;
  readonly #patience: number;
  readonly #unpacking: { thread: Thread<PackProtocol>; asks: number }[];
  readonly #turns: Semaphore;
  #packing: Thread<PackProtocol> | undefined;
  #isEnding = false;

  /** `patience`: milliseconds after which a thread that gives no sign of life is ended. */
  constructor(wasm: WebAssembly.Module, patience: number) {
    this.#data = { wasm };
    this.#patience = patience;
    // One more, for there is always one that waits for the disk.
    const threads = Math.min(availableParallelism(), mostCores) + 1;
    this.#unpacking = Array.from({ length: threads }, () => ({ thread: this.#newThread(), asks: 0 }));
    this.#turns = new Semaphore(framesEach * threads);
  }

  /** Packs a symcache file into an open one; undefined where it was evicted. Throws a ThreadEnded. */
  async pack(path: string, file: number): Promise<{ bytes: number; sha256: string } | undefined> {
    if (!this.#packing || this.#mustReplace(this.#packing)) this.#packing = this.#newThread();
    return await this.#packing.ask("pack", { path, file });
  }

  /**
   * Writes what a frame holds once a thread has time, and gives the checksums of its pages. Throws a SharedCacheFault, what the
   * disk says or a ThreadEnded.
   */
  async unpack(ask: UnpackAsk): Promise<Uint8Array> {
    return sound(await this.#ask((thread) => thread.ask("unpack", ask, [ask.frame]))).checksums;
  }

  /** Throws as unpack() does, where the file isn't the module's symcache. */
  async check(path: string, module: ModuleId, checksums: Uint8Array): Promise<void> {
    sound((await this.#ask((thread) => thread.ask("check", { path, module, checksums }))) ?? {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    const threads = this.#unpacking.map(({ thread }) => thread);
    if (this.#packing) threads.push(this.#packing);
    await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #ask<Answer>(work: (thread: Thread<PackProtocol>) => Promise<Answer>): Promise<Answer> {
    return this.#turns.run(async () => {
      const place = this.#unpacking.reduce((one, other) => (other.asks < one.asks ? other : one));
      if (this.#mustReplace(place.thread)) place.thread = this.#newThread();
      place.asks++;
      try {
        return await work(place.thread);
      } finally {
        place.asks--;
      }
    });
  }

  /** What waits at the end has its answer of the thread that has ended. */
  #mustReplace(thread: Thread<PackProtocol>): boolean {
    return thread.hasEnded && !this.#isEnding;
  }

  #newThread(): Thread<PackProtocol> {
    return new Thread(entry, this.#data, this.#patience);
  }
}

function sound<Answer extends object>(
  answer: Answer,
): Exclude<Answer, { damage: string } | { diskFault: string }> {
  if ("damage" in answer) throw badObject(String(answer.damage));
  if ("diskFault" in answer) throw new Error(String(answer.diskFault));
  return answer as Exclude<Answer, { damage: string } | { diskFault: string }>;
}
