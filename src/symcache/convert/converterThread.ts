/** Thread entry: converts sym files into symcaches, one after the other. */
import { workerData } from "node:worker_threads";
import { replyToAsks, reportProgress, type Reply } from "../../threads/replyToAsks.ts";
import { lowerPriority } from "../../threads/lowerPriority.ts";
import { collectGarbage } from "../collectGarbage.ts";
import { ConversionError, Converter } from "./converter.ts";
import type { ModuleId } from "../../identity/moduleId.ts";
import { selfTest } from "../selfTest.ts";

export interface ConverterThreadData {
  wasm: WebAssembly.Module;
  /** Limit for one conversion. */
  maxMemoryBytes: number;
}

/** The sym file can't be converted. The thread is ready for another one. */
export interface Rejection {
  rejection: { reason: ConversionError["reason"]; message: string };
}

/** In this order: start, push, push, …, finish, then write or take or neither. */
export interface ConverterProtocol {
  start(module: ModuleId): Record<string, never> | Rejection;
  /** Converts the first `length` bytes of `buffer`, and returns the buffer to be filled again. */
  push(piece: { buffer: ArrayBuffer; length: number }): { buffer: ArrayBuffer } | Rejection;
  finish(nothing: undefined): { bytes: number; otherName: string | undefined } | Rejection;
  /** Writes the symcache to a new file. `error`: the disk's error. */
  write(path: string): { error?: string };
  take(nothing: undefined): { copy: SharedArrayBuffer } | Rejection;
  /** Between two sym files: converts and looks up a few lines. Whether the result is right. */
  selfTest(nothing: undefined): boolean;
}

const { wasm, maxMemoryBytes } = workerData as ConverterThreadData;
/** While a slow disk writes the symcache. */
const progressIntervalMs = 1000;
let converter: Converter | undefined;
/** WebAssembly memory of earlier conversions that may not have been collected yet. */
let droppedBytes = 0;
const maxDroppedBytes = 8e6;

lowerPriority();
replyToAsks<ConverterProtocol>({
  start: (module) =>
    catchRejection(() => {
      if (converter) drop(converter);
      converter = new Converter(wasm, module, maxMemoryBytes);
      return [{}];
    }),
  push: ({ buffer, length }) =>
    catchRejection(() => {
      converter?.push(new Uint8Array(buffer, 0, length));
      return [{ buffer }, [buffer]];
    }),
  finish: () => catchRejection(() => [{ bytes: converter?.finish() ?? 0, otherName: converter?.otherName }]),
  selfTest: () => [selfTest(wasm)],
  write(path) {
    let reported = performance.now();
    try {
      converter?.writeFile(path, "wx", () => {
        if (performance.now() - reported < progressIntervalMs) return;
        reported = performance.now();
        reportProgress();
      });
      return [{}];
    } catch (error) {
      return [{ error: String(error) }];
    }
  },
  take: () => catchRejection(() => [{ copy: converter?.copy() ?? new SharedArrayBuffer() }]),
});

/** Collects garbage once dropped instances have much memory, because V8 sees only small objects. */
function drop(old: Converter): void {
  droppedBytes += old.memoryBytes;
  old[Symbol.dispose]();
  converter = undefined;
  if (droppedBytes < maxDroppedBytes) return;
  collectGarbage();
  droppedBytes = 0;
}

function catchRejection<Answer>(step: () => Reply<Answer>): Reply<Answer | Rejection> {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return [{ rejection: { reason: error.reason, message: error.message } }];
  }
}
