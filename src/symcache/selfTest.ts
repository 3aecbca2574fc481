import { moduleId } from "../identity/moduleId.ts";
import { Converter } from "./convert/converter.ts";
import { locationAt } from "./lookup/locations.ts";
import { Symcache } from "./symcache.ts";
import { asFile } from "./symcacheFile.ts";
import { WasmInstance } from "./wasmInstance.ts";

const module = moduleId("self.test", "0123456789ABCDEF0123456789ABCDEF0");
const symFile = Buffer.from(
  `MODULE Linux x86_64 ${module.debugId} ${module.debugFile}\nFILE 0 main.c\nFUNC 1000 10 0 main\n1000 10 42 0\n`,
);

/** Converts a sym file of four lines and looks up its one function. Whether the result is right. */
export function selfTest(wasm: WebAssembly.Module): boolean {
  using converter = new Converter(wasm, module);
  converter.push(symFile);
  converter.finish();
  const { readAt, size } = asFile(converter.copy());
  using symcache = Symcache.open(new WasmInstance(wasm), readAt, size, module);
  const { function: name, file, line } = locationAt(symcache.lookUp(Uint32Array.of(0x1008)), 0);
  return name === "main" && file === "main.c" && line === 42;
}
