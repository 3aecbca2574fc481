/** Converts a sym file, read 1 MiB at a time, and reports the time and the size of the symcache. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { moduleId } from "../src/identity/moduleId.ts";
import { Converter } from "../src/symcache/convert/converter.ts";
import { compileWasm } from "../src/symcache/wasmInstance.ts";

const { path, debugFilename, debugId, out } = workerData as Record<
  "path" | "debugFilename" | "debugId" | "out",
  string
>;
const wasm = await compileWasm();

const start = performance.now();
using converter = new Converter(wasm, moduleId(debugFilename, debugId));
const file = openSync(path, "r");
const piece = new Uint8Array(1024 * 1024);
for (let length; (length = readSync(file, piece)) > 0;) converter.push(piece.subarray(0, length));
closeSync(file);
const symcache = converter.finish();
const written = openSync(out, "w");
converter.write((bytes) => writeSync(written, bytes));
closeSync(written);
parentPort?.postMessage({ milliseconds: performance.now() - start, symcache }, []);
