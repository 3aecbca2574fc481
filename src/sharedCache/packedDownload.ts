import { open } from "node:fs/promises";
import { abortable } from "../async/abortable.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { ThreadEnded } from "../threads/thread.ts";
import { BodyReader } from "./bodyReader.ts";
import type { ObjectStore } from "./objectStore.ts";
import {
  chunkBytes,
  fixedBytes,
  headerBytes,
  readHeader,
  readSymcacheBytes,
  type Chunk,
  type PackedHeader,
} from "./packedHeader.ts";
import type { PackThreads } from "./packThreads.ts";
import { badObject, SharedCacheFault } from "./sharedCacheFault.ts";

/** Bytes that are asked for at a time, and how many such parts arrive side by side: of one alone a store sends 50 MB/s or so. */
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 8;
/** Frames of a part that wait to be unpacked. */
const framesWaiting = 2;

interface Parts {
  store: ObjectStore;
  threads: PackThreads;
  received: (bytes: number) => void;
  signal: AbortSignal;
}

/** A run of chunks, and where their frames begin in the object. */
interface Run {
  chunks: Chunk[];
  from: number;
  bytes: number;
}

/** A packed symcache that arrives, of which the header is here. */
export class PackedDownload implements AsyncDisposable {
  readonly #key: string;
  readonly #parts: Parts;
  readonly #header: PackedHeader;
  readonly #reader: BodyReader;
  readonly #etag: string | undefined;
  /** What the first part has, and the rest. */
  readonly #first: Run;
  readonly #others: Run[];

  /** Undefined where the store has no object of that name. Throws a SharedCacheFault, also for a symcache over `mostBytes`. */
  static async begin(key: string, mostBytes: number, parts: Parts): Promise<PackedDownload | undefined> {
    const response = await parts.store.get(key, { from: 0, to: partBytes - 1 }, parts.signal);
    if (!response) return undefined;
    const { body, objectBytes, isWhole, etag } = response;
    await using stack = new AsyncDisposableStack();
    const reader = stack.use(new BodyReader(body, parts.received));
    if (objectBytes < fixedBytes) throw badObject("too short for a header");
    const fixed = await reader.read(fixedBytes);
    const length = headerBytes(readSymcacheBytes(fixed, mostBytes));
    if (length > Math.min(objectBytes, partBytes)) throw badObject("a header that doesn't fit its object");
    const rest = await reader.read(length - fixedBytes);
    const header = readHeader(Buffer.concat([fixed, rest]), objectBytes);
    const runs = runsOf(header.chunks, length, isWhole ? objectBytes : partBytes);
    stack.move();
    return new PackedDownload(key, parts, { header, reader, etag, runs });
  }

  private constructor(
    key: string,
    parts: Parts,
    begun: { header: PackedHeader; reader: BodyReader; etag: string | undefined; runs: [Run, ...Run[]] },
  ) {
    this.#key = key;
    this.#parts = parts;
    this.#header = begun.header;
    this.#reader = begun.reader;
    this.#etag = begun.etag;
    [this.#first, ...this.#others] = begun.runs;
  }

  /** Of the symcache file. */
  get symcacheBytes(): number {
    return this.#header.symcacheBytes;
  }

  /**
   * Writes the symcache to a new file, which is the module's and whole then. Throws a SharedCacheFault, or what the disk says.
   */
  async write(path: string, module: ModuleId): Promise<void> {
    const checksums: Uint8Array[] = [];
    await using file = await open(path, "wx");
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#parts.signal, failed.signal]);
    const rest = [...this.#others];
    const receiveRest = async () => {
      for (let run; (run = rest.shift());) await this.#receive(run, file.fd, checksums, signal);
    };
    const receiveFirst = async () => {
      await this.#unpack(this.#first.chunks, this.#reader, file.fd, checksums, signal);
      await receiveRest();
    };
    const work = [receiveFirst(), ...Array.from({ length: partsAtOnce - 1 }, receiveRest)];
    const stopping = work.map((part) =>
      part.catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    try {
      // The file may be closed only when no thread writes to it any more.
      const failure = (await Promise.allSettled(stopping)).find((result) => result.status === "rejected");
      if (failure) throw failed.signal.reason ?? failure.reason;
      await this.#parts.threads.check(path, module, Buffer.concat(checksums));
    } catch (error) {
      const isLate = this.#parts.signal.aborted && !(error instanceof SharedCacheFault);
      if (isLate || error instanceof ThreadEnded)
        throw new SharedCacheFault(`can't get all of the object: ${String(error)}`, { cause: error });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }

  async #receive(
    { chunks, from, bytes }: Run,
    file: number,
    checksums: Uint8Array[],
    signal: AbortSignal,
  ): Promise<void> {
    const range = { from, to: from + bytes - 1, etag: this.#etag };
    const response = await this.#parts.store.get(this.#key, range, signal);
    if (!response || response.isWhole) throw new SharedCacheFault("the store gives parts no more");
    await using reader = new BodyReader(response.body, this.#parts.received);
    await this.#unpack(chunks, reader, file, checksums, signal);
  }

  async #unpack(
    chunks: Chunk[],
    reader: BodyReader,
    file: number,
    checksums: Uint8Array[],
    signal: AbortSignal,
  ): Promise<void> {
    const waiting: Promise<Uint8Array>[] = [];
    try {
      for (const { at, length, frame: frameBytes, packed } of chunks) {
        const frame = (await abortable(reader.read(frameBytes), signal)).buffer;
        const { symcacheHeader } = this.#header;
        const ask = { file, symcacheHeader, frame, packed, at, length };
        const unpacked = this.#parts.threads.unpack(ask).then((sums) => (checksums[at / chunkBytes] = sums));
        // Its failure is found when it is waited for.
        unpacked.catch(() => {});
        waiting.push(unpacked);
        if (waiting.length > framesWaiting) await waiting.shift();
      }
    } finally {
      await Promise.allSettled(waiting);
    }
    await Promise.all(waiting);
  }
}

/** The first has what is in the first `firstBytes` of the object. */
function runsOf(chunks: Chunk[], headerLength: number, firstBytes: number): [Run, ...Run[]] {
  const first: Run = { chunks: [], from: headerLength, bytes: 0 };
  const runs: [Run, ...Run[]] = [first];
  let at = headerLength;
  for (const chunk of chunks) {
    let run = runs.at(-1) ?? first;
    const isFull = run === first ? at + chunk.frame > firstBytes : run.bytes + chunk.frame > partBytes;
    if (isFull) runs.push((run = { chunks: [], from: at, bytes: 0 }));
    run.chunks.push(chunk);
    run.bytes += chunk.frame;
    at += chunk.frame;
  }
  return runs;
}
