/** Entry of a converter thread: turns one sym file after another into a symcache. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { answerAsks, type Reply } from "../threads/answerAsks.ts";
import { ConversionError, Converter } from "./converter.ts";
import type { ConverterProtocol, Refusal } from "./messages.ts";

const wasm = workerData as WebAssembly.Module;
let converter: Converter | undefined;
let symcache = new Uint8Array();

answerAsks<ConverterProtocol>({
  start: (module) =>
    refusing(() => {
      converter?.[Symbol.dispose]();
      converter = new Converter(wasm, module);
      return [{}];
    }),
  push: ({ buffer, length }) =>
    refusing(() => {
      converter?.push(new Uint8Array(buffer, 0, length));
      return [{ buffer }, [buffer]];
    }),
  finish: () =>
    refusing(() => {
      symcache = converter?.finish() ?? symcache;
      return [{ bytes: symcache.length }];
    }),
  write(path) {
    try {
      writeFlushed(path, symcache);
      return [{}];
    } catch (error) {
      return [{ error: String(error) }];
    }
  },
  take() {
    const bytes = new SharedArrayBuffer(symcache.length);
    new Uint8Array(bytes).set(symcache);
    return [bytes];
  },
});

function refusing<Answer>(step: () => Reply<Answer>): Reply<Answer | Refusal> {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return [{ refusal: { reason: error.reason, message: error.message } }];
  }
}

function writeFlushed(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "wx");
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
