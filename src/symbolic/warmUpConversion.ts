import { setImmediate } from "node:timers/promises";
import { collectGarbage } from "./collectGarbage.ts";
import { Converter } from "./converter.ts";
import { madeSymFile } from "./madeSymFile.ts";

const module = { debugFilename: "warm.up", debugId: "0123456789ABCDEF0123456789ABCDEF0" };
const functions = 2500;
/** Each takes an instance, whose memory is garbage then: few are better. */
const conversions = 8;

/**
 * Converts a made sym file again and again, between other work: V8 compiles WebAssembly for speed once it has run for a
 * while, and until then it is several times slower. Other threads that were given the same `wasm` have the good of it.
 */
export async function warmUpConversion(wasm: WebAssembly.Module): Promise<void> {
  const symFile = madeSymFile(module, functions);
  for (let round = 0; round < conversions; round++) {
    using converter = new Converter(wasm, module);
    converter.push(symFile);
    converter.finish();
    converter.write(() => {});
    await setImmediate();
  }
  collectGarbage();
}
