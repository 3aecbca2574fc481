import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { FoundSymcache, SymcacheFolder } from "../diskCache/diskCache.ts";
import { Deadline } from "../async/deadline.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { ThreadEnded } from "../threads/thread.ts";
import type { ObjectStore } from "./objectStore.ts";
import type { PackThreads } from "./packThreads.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";
import { StoreHealth } from "./storeHealth.ts";

/** Symcaches that wait, in the folder; those that come then are left to other instances. */
const mostWaiting = 1000;
/** Milliseconds that one may take to be sent. */
const longestUpload = 120_000;
/** Milliseconds that the end of the service waits for what is under way. */
const longestEnd = 5_000;
const pieceBytes = 1024 * 1024;

interface Parts {
  store: ObjectStore;
  threads: PackThreads;
  folder: SymcacheFolder;
  metrics: Metrics;
  log: Logger;
  cooldown: number;
}

interface Upload {
  key: string;
  path: string;
  /** What the store has is of no use. */
  replace: boolean;
}

/** Packs symcaches of the folder and puts them into the store, one at a time, in the background. */
export class Uploads implements AsyncDisposable {
  readonly health: StoreHealth;
  readonly #parts: Parts;
  readonly #waiting: Upload[] = [];
  readonly #ending = new AbortController();
  #working: Promise<void> | undefined;
  #isEnding = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.health = new StoreHealth("take a symcache", parts.cooldown, parts.log);
  }

  add(key: string, { path }: FoundSymcache, replace: boolean): void {
    if (this.#isEnding) return;
    if (this.#waiting.length >= mostWaiting) {
      this.#parts.metrics.histogram("sharedcache.put", 0, { result: "skipped" });
      return;
    }
    this.#waiting.push({ key, path, replace });
    this.#start();
  }

  /** Takes no more, gives what there is a little time, and breaks off what is left. */
  async finish(): Promise<void> {
    this.#isEnding = true;
    await Promise.race([this.#working, setTimeout(longestEnd, undefined, { ref: false })]);
    this.#waiting.splice(0);
    this.#ending.abort();
  }

  /** Behind finish(), and behind the threads: one may be packing still. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#working;
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // What came while the last one ended.
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async #work(): Promise<void> {
    const { metrics, log } = this.#parts;
    for (let upload; (upload = this.#waiting.shift());) {
      metrics.gauge("sharedcache.queue", this.#waiting.length + 1);
      const start = performance.now();
      const result = await this.#upload(upload).catch((err: unknown) => {
        if (!(err instanceof SharedCacheFault))
          log.error({ err, module: upload.key }, "symcache can't be packed");
        return "fail" as const;
      });
      metrics.histogram("sharedcache.put", performance.now() - start, { result });
    }
    metrics.gauge("sharedcache.queue", 0);
  }

  async #upload({ key, path, replace }: Upload): Promise<"stored" | "known" | "gone" | "skipped"> {
    const { store, threads, folder, metrics } = this.#parts;
    if (!this.health.begin()) return "skipped";
    let failure: unknown;
    try {
      await using file = await folder.openTemporaryFile();
      const packed = await threads.pack(path, file.fd);
      if (!packed) return "gone";
      const body = () => Readable.from(piecesOf(file, packed.bytes), { objectMode: false });
      using deadline = new Deadline(longestUpload);
      deadline.resume();
      const signal = AbortSignal.any([this.#ending.signal, deadline.signal]);
      const isNew = await store.put(key, { body, ...packed }, { replace, signal });
      metrics.increment("sharedcache.bytes", { direction: "sent" }, packed.bytes);
      return isNew ? "stored" : "known";
    } catch (error) {
      failure = error instanceof ThreadEnded ? undefined : error;
      throw error;
    } finally {
      this.health.ended(failure);
    }
  }
}

/** A stream of the file would close it. */
async function* piecesOf(file: FileHandle, bytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes;) {
    const piece = new Uint8Array(Math.min(pieceBytes, bytes - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error("the packed file was cut");
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}
