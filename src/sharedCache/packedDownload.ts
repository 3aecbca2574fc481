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

/** Parallel range requests: one alone gets about 50 MB/s from a store. */
const rangeBytes = 8 * 1024 * 1024;
const maxRanges = 8;
/** Frames per range that wait to be unpacked. */
const maxWaitingFrames = 2;

interface Deps {
  store: ObjectStore;
  threads: PackThreads;
  received: (bytes: number) => void;
  signal: AbortSignal;
}

/** Consecutive chunks, and the position of their frames in the object. */
interface Range {
  chunks: Chunk[];
  from: number;
  bytes: number;
}

/** The download of a packed symcache, after its header was read. */
export class PackedDownload implements AsyncDisposable {
  readonly #key: string;
  readonly #deps: Deps;
  readonly #header: PackedHeader;
  readonly #reader: BodyReader;
  readonly #etag: string | undefined;
  readonly #first: Range;
  readonly #others: Range[];

  /** Undefined if there is no such object. Throws a SharedCacheFault, also if the symcache is over `maxBytes`. */
  static async begin(key: string, maxBytes: number, deps: Deps): Promise<PackedDownload | undefined> {
    const response = await deps.store.get(key, { from: 0, to: rangeBytes - 1 }, deps.signal);
    if (!response) return undefined;
    const { body, objectBytes, isWhole, etag } = response;
    await using stack = new AsyncDisposableStack();
    const reader = stack.use(new BodyReader(body, deps.received));
    if (objectBytes < fixedBytes) throw badObject("the object is shorter than a header");
    const fixed = await reader.read(fixedBytes);
    const length = headerBytes(readSymcacheBytes(fixed, maxBytes));
    if (length > Math.min(objectBytes, rangeBytes))
      throw badObject("the header doesn't match the size of the object");
    const rest = await reader.read(length - fixedBytes);
    const header = readHeader(Buffer.concat([fixed, rest]), objectBytes);
    const ranges = splitRanges(header.chunks, length, isWhole ? objectBytes : rangeBytes);
    stack.move();
    return new PackedDownload(key, deps, { header, reader, etag, ranges });
  }

  private constructor(
    key: string,
    deps: Deps,
    begun: {
      header: PackedHeader;
      reader: BodyReader;
      etag: string | undefined;
      ranges: [Range, ...Range[]];
    },
  ) {
    this.#key = key;
    this.#deps = deps;
    this.#header = begun.header;
    this.#reader = begun.reader;
    this.#etag = begun.etag;
    [this.#first, ...this.#others] = begun.ranges;
  }

  get symcacheBytes(): number {
    return this.#header.symcacheBytes;
  }

  /** Writes the symcache to a new file and verifies it. Throws a SharedCacheFault or the disk's error. */
  async write(path: string, module: ModuleId): Promise<void> {
    const checksums: Uint8Array[] = [];
    await using file = await open(path, "wx");
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#deps.signal, failed.signal]);
    const rest = [...this.#others];
    const receiveRest = async () => {
      for (let range; (range = rest.shift());) await this.#receive(range, file.fd, checksums, signal);
    };
    const receiveFirst = async () => {
      await this.#unpack(this.#first.chunks, this.#reader, file.fd, checksums, signal);
      await receiveRest();
    };
    const work = [receiveFirst(), ...Array.from({ length: maxRanges - 1 }, receiveRest)];
    const abortingOthers = work.map((download) =>
      download.catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    try {
      // Don't close the file before all threads have finished writing to it.
      const failure = (await Promise.allSettled(abortingOthers)).find(
        (result) => result.status === "rejected",
      );
      if (failure) throw failed.signal.reason ?? failure.reason;
      await this.#deps.threads.check(path, module, Buffer.concat(checksums));
    } catch (error) {
      const isLate = this.#deps.signal.aborted && !(error instanceof SharedCacheFault);
      if (isLate || error instanceof ThreadEnded)
        throw new SharedCacheFault(`can't download the object: ${String(error)}`, { cause: error });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]();
  }

  async #receive(
    { chunks, from, bytes }: Range,
    file: number,
    checksums: Uint8Array[],
    signal: AbortSignal,
  ): Promise<void> {
    const range = { from, to: from + bytes - 1, etag: this.#etag };
    const response = await this.#deps.store.get(this.#key, range, signal);
    if (!response || response.isWhole)
      throw new SharedCacheFault("the store did not send the requested range");
    await using reader = new BodyReader(response.body, this.#deps.received);
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
        const unpacked = this.#deps.threads.unpack(ask).then((sums) => (checksums[at / chunkBytes] = sums));
        // Errors are handled when it is awaited.
        unpacked.catch(() => {});
        waiting.push(unpacked);
        if (waiting.length > maxWaitingFrames) await waiting.shift();
      }
    } finally {
      await Promise.allSettled(waiting);
    }
    await Promise.all(waiting);
  }
}

/** The first range is what follows the header in the first `firstBytes` of the object. */
function splitRanges(chunks: Chunk[], headerLength: number, firstBytes: number): [Range, ...Range[]] {
  const first: Range = { chunks: [], from: headerLength, bytes: 0 };
  const ranges: [Range, ...Range[]] = [first];
  let at = headerLength;
  for (const chunk of chunks) {
    let range = ranges.at(-1) ?? first;
    const isFull = range === first ? at + chunk.frame > firstBytes : range.bytes + chunk.frame > rangeBytes;
    if (isFull) ranges.push((range = { chunks: [], from: at, bytes: 0 }));
    range.chunks.push(chunk);
    range.bytes += chunk.frame;
    at += chunk.frame;
  }
  return ranges;
}
