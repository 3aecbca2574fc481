/** Entry of a converter thread: turns one sym file after another into a symcache. */
import { closeSync, openSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { answerAsks, showLife, type Reply } from "../../threads/answerAsks.ts";
import { giveWay } from "../../threads/lowerPriority.ts";
import { collectGarbage } from "../collectGarbage.ts";
import { ConversionError, Converter } from "./converter.ts";
import type { ModuleId } from "../../identity/moduleId.ts";
import { selfTest } from "../selfTest.ts";

/** What a converter thread starts with. */
export interface ConverterThreadData {
  wasm: WebAssembly.Module;
  /** That a conversion may take. */
  maxMemoryBytes: number;
}

/** The sym file can't be converted; the thread is ready for another. */
export interface Refusal {
  refusal: { reason: ConversionError["reason"]; message: string };
}

/** Asked in this order: start, push, push, …, finish, then write or take or neither. */
export interface ConverterProtocol {
  start(module: ModuleId): Record<string, never> | Refusal;
  /** Converts the first `length` bytes of `buffer`, and returns the buffer to be filled again. */
  push(piece: { buffer: ArrayBuffer; length: number }): { buffer: ArrayBuffer } | Refusal;
  finish(nothing: undefined): { bytes: number } | Refusal;
  /** Writes the symcache to a new file. `error`: why the disk refused it. */
  write(path: string): { error?: string };
  /** Copies the symcache. */
  take(nothing: undefined): SharedArrayBuffer;
  /** Between two sym files: converts and looks up a few lines. Whether the result is right. */
  selfTest(nothing: undefined): boolean;
}

const { wasm, maxMemoryBytes } = workerData as ConverterThreadData;
/** Milliseconds between two signs of life while a slow disk takes the symcache. */
const lifeInterval = 1000;
let converter: Converter | undefined;
let symcacheBytes = 0;
/** WebAssembly memory of earlier conversions, in bytes, that may still be there, and the most of it. */
let droppedBytes = 0;
const mostDropped = 8e6;

giveWay();
answerAsks<ConverterProtocol>({
  start: (module) =>
    refusing(() => {
      if (converter) drop(converter);
      converter = new Converter(wasm, module);
      return [{}];
    }),
  push: ({ buffer, length }) =>
    refusing(() => {
      converter?.push(new Uint8Array(buffer, 0, length));
      if ((converter?.memoryBytes ?? 0) > maxMemoryBytes)
        throw new ConversionError(
          "too_large",
          `its conversion takes more than ${maxMemoryBytes} bytes of memory`,
        );
      return [{ buffer }, [buffer]];
    }),
  finish: () =>
    refusing(() => {
      symcacheBytes = converter?.finish() ?? 0;
      return [{ bytes: symcacheBytes }];
    }),
  selfTest: () => [selfTest(wasm)],
  write(path) {
    try {
      write(path);
      return [{}];
    } catch (error) {
      return [{ error: String(error) }];
    }
  },
  take() {
    const bytes = new SharedArrayBuffer(symcacheBytes);
    converter?.copyInto(new Uint8Array(bytes));
    return [bytes];
  },
});

/** Gives its memory back before there is much of it: to V8 it is but a small object. */
function drop(old: Converter): void {
  droppedBytes += old.memoryBytes;
  old[Symbol.dispose]();
  converter = undefined;
  if (droppedBytes < mostDropped) return;
  collectGarbage();
  droppedBytes = 0;
}

function refusing<Answer>(step: () => Reply<Answer>): Reply<Answer | Refusal> {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return [{ refusal: { reason: error.reason, message: error.message } }];
  }
}

function write(path: string): void {
  const file = openSync(path, "wx");
  try {
    let shown = performance.now();
    converter?.write((piece) => {
      for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
      if (performance.now() - shown < lifeInterval) return;
      shown = performance.now();
      showLife();
    });
  } finally {
    closeSync(file);
  }
}
