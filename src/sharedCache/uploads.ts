import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { CircuitBreaker } from "../async/circuitBreaker.ts";
import { Deadline } from "../async/deadline.ts";
import type { DiskCache } from "../diskCache/diskCache.ts";
import type { Logger } from "../observability/logging.ts";
import type { Metrics } from "../observability/metrics.ts";
import { ThreadEnded } from "../threads/thread.ts";
import type { ObjectStore } from "./objectStore.ts";
import type { PackThreads } from "./packThreads.ts";
import { endCall, SharedCacheFault } from "./sharedCacheFault.ts";

/** More symcaches than that are left to other instances. */
const maxWaiting = 1000;
const uploadTimeoutMs = 120_000;
/** At shutdown. */
const finishTimeoutMs = 5_000;
const pieceBytes = 1024 * 1024;

interface Deps {
  store: ObjectStore;
  threads: PackThreads;
  folder: DiskCache;
  metrics: Metrics;
  log: Logger;
  breaker: CircuitBreaker;
}

interface Upload {
  key: string;
  path: string;
  /** The stored object is unusable. */
  replace: boolean;
}

/** Packs symcaches of the disk cache and uploads them, one at a time, in the background. */
export class Uploads implements AsyncDisposable {
  readonly #deps: Deps;
  readonly #abort = new AbortController();
  #last = Promise.resolve();
  /** Including the running one. */
  #waiting = 0;
  #isClosed = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  add(upload: Upload): void {
    if (this.#isClosed) return;
    if (this.#waiting > maxWaiting)
      return this.#deps.metrics.histogram("sharedcache.put", 0, { result: "skipped" });
    this.#waiting++;
    this.#last = this.#last.then(() => this.#uploadNext(upload));
  }

  /** Accepts no more uploads, waits a little for the queued ones and aborts the rest. */
  async finish(): Promise<void> {
    this.#isClosed = true;
    await Promise.race([this.#last, setTimeout(finishTimeoutMs, undefined, { ref: false })]);
    this.#abort.abort();
  }

  /** Call it after finish() and after the threads have ended, because one may still be packing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
  }

  async #uploadNext(upload: Upload): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const { metrics, log } = this.#deps;
    metrics.gauge("sharedcache.queue", this.#waiting);
    const start = performance.now();
    const result = await this.#upload(upload).catch((err: unknown) => {
      if (!(err instanceof SharedCacheFault))
        log.error({ err, module: upload.key }, "symcache can't be packed");
      return "fail" as const;
    });
    metrics.histogram("sharedcache.put", performance.now() - start, { result });
    if (--this.#waiting === 0) metrics.gauge("sharedcache.queue", 0);
  }

  async #upload({ key, path, replace }: Upload): Promise<"stored" | "known" | "gone" | "skipped"> {
    const { store, threads, folder, metrics, log, breaker } = this.#deps;
    if (!breaker.tryBegin()) return "skipped";
    let failure: unknown;
    try {
      await using file = await folder.openTemporaryFile();
      const packed = await threads.pack(path, file.fd);
      if (!packed) return "gone";
      const body = () => Readable.from(readPieces(file, packed.bytes), { objectMode: false });
      using deadline = new Deadline(uploadTimeoutMs);
      deadline.resume();
      const signal = AbortSignal.any([this.#abort.signal, deadline.signal]);
      const isNew = await store.put(key, { body, ...packed }, { replace, signal });
      metrics.increment("sharedcache.bytes", { direction: "sent" }, packed.bytes);
      return isNew ? "stored" : "known";
    } catch (error) {
      failure = error instanceof ThreadEnded ? undefined : error;
      throw error;
    } finally {
      endCall(breaker, failure, "write", log);
    }
  }
}

/** Unlike `file.createReadStream()`, doesn't close the file. */
async function* readPieces(file: FileHandle, bytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes;) {
    const piece = new Uint8Array(Math.min(pieceBytes, bytes - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error("the packed file was truncated");
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}
