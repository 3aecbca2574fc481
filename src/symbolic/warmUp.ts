/**
 * V8 compiles WebAssembly for speed once it has run for a while, and until then it is several times slower. So threads run
 * made work when they start, between other work. Other threads that were given the same `wasm` have the good of it.
 */
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { collectGarbage } from "./collectGarbage.ts";
import { Converter } from "./converter.ts";
import { Symcache } from "./symcache.ts";
import { asFile, openFile } from "./symcacheFile.ts";
import { WasmInstance } from "./wasmInstance.ts";

const module = { debugFilename: "warm.up", debugId: "0123456789ABCDEF0123456789ABCDEF0" };
const functions = 500;
const functionBytes = 0x20;
/** Each takes an instance, whose memory is garbage then: few are better. */
const conversions = 8;
const functionsToConvert = 2500;
const lookups = 60;

/** Converts a made sym file again and again. */
export async function warmUpConversion(wasm: WebAssembly.Module): Promise<void> {
  const symFile = madeSymFile(functionsToConvert);
  for (let round = 0; round < conversions; round++) {
    using converter = new Converter(wasm, module);
    converter.push(symFile);
    converter.finish();
    converter.write(() => {});
    await setImmediate();
  }
  collectGarbage();
}

/** Looks up in a made symcache again and again, once in each step. */
export function* warmUpLookup(wasm: WebAssembly.Module): Generator<void> {
  const instance = new WasmInstance(wasm);
  using real = openFile(fileURLToPath(import.meta.url));
  const page = new Uint8Array(4096);
  const { symcache: bytes, offsets } = makeSymcache(wasm);
  const file = asFile(bytes);
  for (let round = 0; round < lookups; round++) {
    using symcache = Symcache.open(instance, file.readAt, file.size, module);
    symcache.lookUp(offsets);
    for (let read = 0; read < 50; read++) real.readAt(page, 0);
    yield;
  }
  collectGarbage();
}

/** A symcache to be looked up in before there are requests, and offsets of its functions. */
export function makeSymcache(wasm: WebAssembly.Module) {
  using converter = new Converter(wasm, module);
  converter.push(madeSymFile(functions));
  const symcache = new SharedArrayBuffer(converter.finish());
  converter.copyInto(new Uint8Array(symcache));
  const offsets = Uint32Array.from({ length: functions }, (_, i) => (i * 7919) % (functions * functionBytes));
  return { module, symcache, offsets };
}

/** Functions with inlined calls, line records around them, and names as long as C++'s. */
function madeSymFile(count: number): Uint8Array {
  const path = "hg:hg.mozilla.org/mozilla-central:warm/up.cpp:0123456789ab";
  const records = [`MODULE Linux x86_64 ${module.debugId} ${module.debugFilename}`, `FILE 0 ${path}`];
  for (let number = 0; number < count; number++) {
    const name = (scope: string) =>
      `warm::${scope}${number}(nsTArray<unsigned char> const&, mozilla::dom::Promise*)`;
    const [start, call, inner, end] = [0, 4, 8, 0x10].map((at) => hex(number * functionBytes + at));
    records.push(
      `INLINE_ORIGIN ${number} ${name("Inlined")}`,
      `FUNC ${start} ${hex(functionBytes)} 0 ${name("Up")}`,
      `INLINE 0 11 0 ${number} ${call} c`,
      `INLINE 1 12 0 ${number} ${inner} 4`,
      `${start} 4 1 0`,
      `${call} 4 2 0`,
      `${inner} 8 3 0`,
      `${end} 10 4 0`,
    );
  }
  return Buffer.from(`${records.join("\n")}\n`);
}

function hex(number: number): string {
  return number.toString(16);
}
