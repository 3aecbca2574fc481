/** Entry of a lookup thread: looks offsets up in symcaches. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { answerAsks } from "../threads/answerAsks.ts";
import type { LookupAnswer, LookupProtocol, SymcacheBytes } from "./messages.ts";
import { selfTest } from "./selfTest.ts";
import { Symcache, SymcacheDamaged } from "./symcache.ts";
import { WasmInstance, type ReadAt } from "./wasmInstance.ts";

const wasm = workerData as WebAssembly.Module;
const instance = new WasmInstance(wasm);

answerAsks<LookupProtocol>({
  lookUp({ module, symcache, offsets }) {
    try {
      using file = openFile(symcache);
      using opened = Symcache.open(instance, file.readAt, file.size, module);
      const locations = opened.lookUp(offsets);
      const { strings: _, ...columns } = locations;
      const answer = { kind: "found", moduleName: opened.moduleName, locations } as const;
      return [answer, Object.values(columns).map((column) => column.buffer)];
    } catch (error) {
      return [fault(error)];
    }
  },
  selfTest: () => [selfTest(wasm)],
});

function fault(error: unknown): LookupAnswer {
  if (error instanceof SymcacheDamaged) return { kind: "damaged", message: error.message };
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  return error.code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", message: error.message };
}

interface OpenFile extends Disposable {
  size: number;
  readAt: ReadAt;
}

function openFile(symcache: SymcacheBytes): OpenFile {
  if (typeof symcache !== "string") {
    const bytes = new Uint8Array(symcache);
    return { size: bytes.length, readAt: (into, offset) => copy(bytes, into, offset), [Symbol.dispose]() {} };
  }
  const file = openSync(symcache, "r");
  return {
    size: fstatSync(file).size,
    readAt: (into, offset) => readSync(file, into, 0, into.length, offset),
    [Symbol.dispose]: () => closeSync(file),
  };
}

function copy(from: Uint8Array, into: Uint8Array, offset: number): number {
  const piece = from.subarray(offset, offset + into.length);
  into.set(piece);
  return piece.length;
}
