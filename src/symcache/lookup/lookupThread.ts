/** Thread entry: looks up offsets in symcaches. */
import { workerData } from "node:worker_threads";
import type { ModuleId } from "../../identity/moduleId.ts";
import { replyToAsks } from "../../threads/replyToAsks.ts";
import { ResultTooLarge, type Locations, type TextLeft } from "./locations.ts";
import { OpenSymcaches } from "./openSymcaches.ts";
import { selfTest } from "../selfTest.ts";
import { SymcacheDamaged, type Symcache } from "../symcache.ts";
import { asFile, isOutOfHandles, warmUpReading, type SymcacheBytes } from "../symcacheFile.ts";

export interface LookupThreadData {
  wasm: WebAssembly.Module;
  /** For symcaches; lookups take more while they run. */
  memoryBytes: number;
}

export interface LookupProtocol {
  lookUp(request: LookupRequest): LookupResult;
  /** Reads the next slice of a symcache file into memory. Whether there is nothing left to read. */
  readAhead(request: { module: ModuleId; path: string }): boolean;
  /** Converts and looks up a few lines. Whether the result is right. */
  selfTest(nothing: undefined): boolean;
}

export interface LookupRequest {
  module: ModuleId;
  symcache: SymcacheBytes;
  offsets: Uint32Array;
  textLeft: TextLeft;
}

export type LookupResult =
  | { kind: "found"; moduleName: string; locations: Locations }
  | { kind: "missing" }
  /** The symcache is intact, but the text of the request would exceed its limit. */
  | { kind: "too_large" }
  /** The process has too many files open; the symcache may be intact. */
  | { kind: "out_of_handles"; message: string }
  | { kind: "damaged"; message: string }
  | { kind: "unreadable"; message: string };

const { wasm, memoryBytes } = workerData as LookupThreadData;
const symcaches = new OpenSymcaches(wasm, memoryBytes);

warmUpReading();
replyToAsks<LookupProtocol>({
  lookUp(request) {
    const result = lookUp(request);
    symcaches.limitMemory();
    return [result, result.kind === "found" ? [result.locations.text.buffer] : []];
  },
  readAhead: ({ module, path }) => [symcaches.readAhead(path, module)],
  selfTest: () => [selfTest(wasm)],
});

function lookUp({ module, symcache, offsets, textLeft }: LookupRequest): LookupResult {
  try {
    bytesLeft(textLeft);
    if (typeof symcache !== "string") {
      using opened = symcaches.openOnce(asFile(symcache), module);
      return lookUpIn(opened, offsets, textLeft);
    }
    const result = lookUpIn(symcaches.get(symcache, module), offsets, textLeft);
    symcaches.considerReadAhead(symcache);
    return result;
  } catch (error) {
    if (error instanceof ResultTooLarge) {
      // Other lookups of the same request needn't start.
      Atomics.store(textLeft, 0, -1n);
      return { kind: "too_large" };
    }
    if (typeof symcache === "string") symcaches.close(symcache);
    return failure(error);
  }
}

function lookUpIn(symcache: Symcache, offsets: Uint32Array, textLeft: TextLeft): LookupResult {
  const locations = symcache.lookUp(offsets, bytesLeft(textLeft));
  Atomics.sub(textLeft, 0, BigInt(locations.text.length));
  return { kind: "found", moduleName: symcache.moduleName, locations };
}

function bytesLeft(textLeft: TextLeft): number {
  const bytes = Number(Atomics.load(textLeft, 0));
  if (bytes < 0) throw new ResultTooLarge();
  return bytes;
}

function failure(error: unknown): LookupResult {
  if (error instanceof SymcacheDamaged) return { kind: "damaged", message: error.message };
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  if (isOutOfHandles(error)) return { kind: "out_of_handles", message: error.message };
  return error.code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", message: error.message };
}
