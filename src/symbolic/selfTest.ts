import { Converter } from "./converter.ts";
import { Symcache } from "./symcache.ts";
import { WasmInstance } from "./wasmInstance.ts";

const module = { debugFilename: "self.test", debugId: "0123456789ABCDEF0123456789ABCDEF0" };
const symFile = Buffer.from(
  `MODULE Linux x86_64 ${module.debugId} ${module.debugFilename}\nFILE 0 main.c\nFUNC 1000 10 0 main\n1000 10 42 0\n`,
);

/** Whether a sym file of four lines gives its one line back: a sign that the WebAssembly works here. */
export function selfTest(wasm: WebAssembly.Module): boolean {
  using converter = new Converter(wasm, module);
  converter.push(symFile);
  const bytes = new Uint8Array(converter.finish());
  converter.copyInto(bytes);
  const readAt = (into: Uint8Array, offset: number) => {
    into.set(bytes.subarray(offset, offset + into.length));
    return into.length;
  };
  using symcache = Symcache.open(new WasmInstance(wasm), readAt, bytes.length, module);
  const { functions, files, lines, strings } = symcache.lookUp(Uint32Array.of(0x1008));
  return strings[functions[0] ?? 0] === "main" && strings[files[0] ?? 0] === "main.c" && lines[0] === 42;
}
