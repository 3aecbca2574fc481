import { pathToFileURL } from "node:url";
import { moduleId } from "../../src/identity/moduleId.ts";
import { Converter } from "../../src/symcache/convert/converter.ts";
import { locationAt, type Locations } from "../../src/symcache/lookup/locations.ts";
import { Symcache } from "../../src/symcache/symcache.ts";
import { compileWasm, type ReadAt, WasmInstance } from "../../src/symcache/wasmInstance.ts";

const other = process.env["TSELIOT_WASM"];

/** The committed binary, or the one that `TSELIOT_WASM` names. */
export const wasm = await compileWasm(other === undefined ? undefined : pathToFileURL(other));

/** The module of the sym files that the tests make. */
export const module = moduleId("a.so", "000000000000000000000000000000010");

/** A sym file of that module. */
export function symFile(...records: string[]): Uint8Array {
  return Buffer.from(
    ["MODULE Linux x86_64 000000000000000000000000000000010 a.so", ...records, ""].join("\n"),
  );
}

/** The symcache file of a sym file that arrives in pieces of some length. */
export function convert(text: Uint8Array, of = module, pieceLength = 1000): Uint8Array {
  using converter = new Converter(wasm, of);
  for (let at = 0; at < text.length; at += pieceLength) converter.push(text.subarray(at, at + pieceLength));
  const symcache = new Uint8Array(converter.finish());
  symcache.set(new Uint8Array(converter.copy()));
  return symcache;
}

/** Reads bytes in memory as if they were a file. */
export function readFrom(file: Uint8Array): ReadAt {
  return (into, offset) => {
    const piece = file.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  };
}

/** Opens a symcache file in an instance of its own. */
export function open(file: Uint8Array, of = module): Symcache {
  return Symcache.open(new WasmInstance(wasm), readFrom(file), file.length, of);
}

/** Each offset's rows as `function file:line`, innermost first. */
export function rows(locations: Locations): string[][] {
  const { starts } = locations;
  return Array.from(starts.subarray(1), (end, i) =>
    Array.from({ length: end - starts[i]! }, (_, row) => {
      const { function: name, file = "", line = 0 } = locationAt(locations, starts[i]! + row);
      return `${name} ${file}:${line}`;
    }),
  );
}
