import { open } from "node:fs/promises";
import { abortable } from "../async/abortable.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { ThreadEnded } from "../threads/thread.ts";
import { BodyReader } from "./bodyReader.ts";
import type { ObjectStore } from "./objectStore.ts";
import { chunkBytes, readHeader, type Chunk } from "./packedHeader.ts";
import type { PackThreads } from "./packThreads.ts";
import { SharedCacheFault } from "./sharedCacheFault.ts";

/** Parallel range requests: one alone gets about 50 MB/s from a store. */
const rangeBytes = 8 * 1024 * 1024;
const maxRanges = 8;
/** Frames per range that wait to be unpacked. */
const maxWaitingFrames = 2;

interface Deps {
  store: ObjectStore;
  threads: PackThreads;
  /** Of the symcache. */
  maxBytes: number;
  received: (bytes: number) => void;
  signal: AbortSignal;
}

/** A symcache whose size is known and that can be written to a new file. */
export interface WritableSymcache {
  bytes: number;
  /** Throws a SharedCacheFault or the disk's error. */
  write: (path: string) => Promise<void>;
}

/**
 * Starts to download a packed symcache, and keeps the connection while `save` runs. Returns undefined if the object
 * does not exist. Throws a SharedCacheFault, or the error of `save`.
 */
export async function downloadPacked<Saved>(
  key: string,
  module: ModuleId,
  { store, threads, maxBytes, received, signal }: Deps,
  save: (symcache: WritableSymcache) => Promise<Saved>,
): Promise<Saved | undefined> {
  const object = await store.get(key, { from: 0, to: rangeBytes - 1 }, signal);
  if (!object) return undefined;
  const { objectBytes, isWhole, etag } = object;
  await using firstReader = new BodyReader(object.body, received);
  const { symcacheBytes, symcacheHeader, chunks } = await readHeader(firstReader, objectBytes, maxBytes);
  const ranges = splitRanges(chunks, isWhole ? objectBytes : rangeBytes);

  const openRange = async (range: Chunk[], ending: AbortSignal) => {
    if (range === ranges[0]) return firstReader;
    const [from, to] = [range[0]?.frameAt ?? 0, endOf(range.at(-1)) - 1];
    const part = await store.get(key, { from, to, etag }, ending);
    if (!part || part.isWhole) throw new SharedCacheFault("the store did not send the requested range");
    return new BodyReader(part.body, received);
  };
  const write = async (path: string) => {
    await using file = await open(path, "wx");
    const checksums: Uint8Array[] = [];
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const unpack = async ({ at, length, packed }: Chunk, frame: Buffer<ArrayBuffer>) => {
      const ask = { file: file.fd, symcacheHeader, at, length, packed, frame };
      checksums[at / chunkBytes] = await threads.unpack(ask);
    };
    const waiting = ranges.values();
    const receiveRanges = async () => {
      try {
        for (const range of waiting) {
          await using reader = await openRange(range, ending);
          await unpackFrames(range, (bytes) => abortable(reader.read(bytes), ending), unpack);
        }
      } catch (error) {
        failed.abort(error);
      }
    };
    try {
      // Don't close the file before all threads have finished writing to it.
      await Promise.all(Array.from({ length: maxRanges }, receiveRanges));
      failed.signal.throwIfAborted();
      await threads.check(path, module, Buffer.concat(checksums));
    } catch (error) {
      const isLate = signal.aborted && !(error instanceof SharedCacheFault);
      if (isLate || error instanceof ThreadEnded)
        throw new SharedCacheFault("can't download the object", error);
      throw error;
    }
  };
  return await save({ bytes: symcacheBytes, write });
}

/** Reads frames one after the other while the ones before are unpacked. Settles once all of those are done. */
async function unpackFrames(
  chunks: Chunk[],
  read: (bytes: number) => Promise<Buffer<ArrayBuffer>>,
  unpack: (chunk: Chunk, frame: Buffer<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const waiting: Promise<void>[] = [];
  try {
    for (const chunk of chunks) {
      const unpacked = unpack(chunk, await read(chunk.frameBytes));
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

/** Splits chunks by the ranges in which their frames are requested. The first range ends before `end`. */
function splitRanges(chunks: Chunk[], end: number): Chunk[][] {
  let range: Chunk[] = [];
  const ranges = [range];
  for (const chunk of chunks) {
    if (endOf(chunk) > end) {
      ranges.push((range = []));
      end = chunk.frameAt + rangeBytes;
    }
    range.push(chunk);
  }
  return ranges;
}

function endOf(chunk: Chunk | undefined): number {
  return chunk ? chunk.frameAt + chunk.frameBytes : 0;
}
