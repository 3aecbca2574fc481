import { fileURLToPath } from "node:url";
import { Converter } from "./converter.ts";
import type { SymcacheModule } from "./messages.ts";
import { Symcache } from "./symcache.ts";
import { asFile, openFile } from "./symcacheFile.ts";
import { WasmInstance } from "./wasmInstance.ts";

const functions = 500;
const functionBytes = 0x20;
const rounds = 60;

/** A symcache made to be looked up in before there are requests. */
export interface MadeSymcache {
  module: SymcacheModule;
  symcache: SharedArrayBuffer;
  /** One for each of its functions. */
  offsets: Uint32Array<ArrayBuffer>;
}

/**
 * Looks up in a made symcache, once in each step, until V8 has compiled what lookups need for speed: at first its
 * WebAssembly runs several times slower.
 */
export function* warmUp(wasm: WebAssembly.Module): Generator<void> {
  const instance = new WasmInstance(wasm);
  using real = openFile(fileURLToPath(import.meta.url));
  const page = new Uint8Array(4096);
  const { module, symcache: bytes, offsets } = makeSymcache(wasm);
  const file = asFile(bytes);
  for (let round = 0; round < rounds; round++) {
    using symcache = Symcache.open(instance, file.readAt, file.size, module);
    symcache.lookUp(offsets);
    for (let read = 0; read < 50; read++) real.readAt(page, 0);
    yield;
  }
}

/** Converts a sym file of some hundred functions, each with an inlined call. */
export function makeSymcache(wasm: WebAssembly.Module): MadeSymcache {
  const module = { debugFilename: "warm.up", debugId: "0123456789ABCDEF0123456789ABCDEF0" };
  let text = `MODULE Linux x86_64 ${module.debugId} ${module.debugFilename}\n`;
  text +=
    "FILE 0 hg:hg.mozilla.org/mozilla-central:warm/up.cpp:0123456789ab\nINLINE_ORIGIN 0 warm::up(int)\n";
  for (let number = 0; number < functions; number++) {
    const [start, half] = [0, 0x10].map((at) => (number * functionBytes + at).toString(16));
    text += `FUNC ${start} 20 0 warm::Up${number}(nsTArray<unsigned char> const&, mozilla::dom::Promise*)\n`;
    text += `INLINE 0 1 0 0 ${start} 10\n${start} 10 2 0\n${half} 10 3 0\n`;
  }
  using converter = new Converter(wasm, module);
  converter.push(Buffer.from(text));
  const symcache = new SharedArrayBuffer(converter.finish());
  converter.copyInto(new Uint8Array(symcache));
  const offsets = Uint32Array.from({ length: functions }, (_, i) => (i * 7919) % (functions * functionBytes));
  return { module, symcache, offsets };
}
