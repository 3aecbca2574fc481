/** What passes between the service and its threads. */
import type { ModuleId } from "../identity/moduleId.ts";
import type { ConversionError } from "./convert/converter.ts";
import type { Locations, TextLeft } from "./lookup/locations.ts";
import type { Holding } from "./lookup/memoryBudget.ts";

/** A symcache as a file's path or, where it could not be kept, as its bytes. */
export type SymcacheBytes = string | SharedArrayBuffer;

/** The sym file can't be converted; the thread is ready for another. */
export interface Refusal {
  refusal: { reason: ConversionError["reason"]; message: string };
}

/** What a converter thread starts with. */
export interface ConverterThreadData {
  wasm: WebAssembly.Module;
  /** Bytes that a conversion may take. */
  memory: number;
}

/** Asked in this order: start, push, push, …, finish, then write or take or neither. */
export interface ConverterProtocol {
  start(module: ModuleId): Record<string, never> | Refusal;
  /** The first `length` bytes of `buffer` come next; the buffer comes back to be filled again. */
  push(piece: { buffer: ArrayBuffer; length: number }): { buffer: ArrayBuffer } | Refusal;
  finish(nothing: undefined): { bytes: number } | Refusal;
  /** Writes the symcache to a new file; the answer is what the disk said against it. */
  write(path: string): { error?: string };
  /** Between two sym files: converts and looks up a few lines; false where the answer is wrong. */
  selfTest(nothing: undefined): boolean;
  /** A copy of the symcache. */
  take(nothing: undefined): SharedArrayBuffer;
}

/** What a lookup thread starts with. */
export interface LookupThreadData {
  wasm: WebAssembly.Module;
  /** Bytes it may take, beside the symcaches that it is told to hold. */
  memory: number;
}

export interface LookupProtocol {
  lookUp(ask: {
    module: ModuleId;
    symcache: SymcacheBytes;
    offsets: Uint32Array;
    textLeft: TextLeft;
  }): LookupAnswer;
  /** Begins to read a symcache file into memory as a whole; false where that can't be. */
  hold(ask: { module: ModuleId; path: string }): boolean;
  /** Whether it is still being read. */
  isReading(path: string): boolean;
  /** Gives its memory back. */
  release(path: string): Record<string, never>;
  /** Converts and looks up a few lines; false where the answer is wrong. */
  selfTest(nothing: undefined): boolean;
}

export type LookupAnswer =
  | { kind: "found"; moduleName: string; locations: Locations; holding?: Holding }
  | { kind: "missing" }
  /** The symcache is sound, but no answer may be as large. */
  | { kind: "too_large" }
  /** The process has as many files open as it may; the symcache is none the worse for it. */
  | { kind: "out_of_handles"; message: string }
  | { kind: "damaged"; message: string }
  | { kind: "unreadable"; message: string };
