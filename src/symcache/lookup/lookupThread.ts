/** Entry of a lookup thread: looks offsets up in symcaches. */
import { workerData } from "node:worker_threads";
import type { ModuleId } from "../../identity/moduleId.ts";
import { answerAsks } from "../../threads/answerAsks.ts";
import { HeldSymcaches, heldOverhead } from "./heldSymcaches.ts";
import { AnswerTooLarge } from "./locations.ts";
import type { LookupAnswer, LookupProtocol, LookupThreadData } from "../messages.ts";
import { OpenSymcaches } from "./openSymcaches.ts";
import { selfTest } from "../selfTest.ts";
import { SymcacheDamaged, type Symcache } from "../symcache.ts";
import { asFile, identify, isOutOfHandles, warmUpReading } from "../symcacheFile.ts";

const { wasm, memory } = workerData as LookupThreadData;
const opened = new OpenSymcaches(wasm, memory);
const held = new HeldSymcaches(wasm);

warmUpReading();
answerAsks<LookupProtocol>({
  lookUp({ module, symcache, offsets, textLeft }) {
    try {
      const mostBytes = Number(Atomics.load(textLeft, 0));
      if (mostBytes < 0) throw new AnswerTooLarge();
      const answer =
        typeof symcache === "string"
          ? lookUpInFile(symcache, module, offsets, mostBytes)
          : lookUpInMemory(symcache, module, offsets, mostBytes);
      Atomics.sub(textLeft, 0, BigInt(answer.locations.text.length));
      opened.keepWithinMemory();
      return [answer, [answer.locations.text.buffer]];
    } catch (error) {
      if (error instanceof AnswerTooLarge) {
        // The same request's other lookups need not begin.
        Atomics.store(textLeft, 0, -1n);
        opened.keepWithinMemory();
        return [{ kind: "too_large" }];
      }
      if (typeof symcache === "string") forget(symcache);
      return [fault(error)];
    }
  },
  hold({ module, path }) {
    try {
      held.hold(path, module);
      return [true];
    } catch (error) {
      fault(error);
      return [false];
    }
  },
  isReading: (path) => [held.isReading(path)],
  release(path) {
    held.release(path);
    return [{}];
  },
  selfTest: () => [selfTest(wasm)],
});

type Found = Extract<LookupAnswer, { kind: "found" }>;

function lookUpInFile(path: string, module: ModuleId, offsets: Uint32Array, mostBytes: number): Found {
  const identity = identify(path);
  const symcache = held.get(path, identity) ?? opened.get(path, identity, module);
  const answer = lookUp(symcache, offsets, mostBytes);
  const heldBytes = held.memoryBytes(path);
  const bytes = Math.max(heldBytes ?? 0, symcache.payloadBytes + heldOverhead);
  return { ...answer, holding: { isHeld: heldBytes !== undefined, bytes } };
}

function lookUpInMemory(
  bytes: SharedArrayBuffer,
  module: ModuleId,
  offsets: Uint32Array,
  mostBytes: number,
): Found {
  using symcache = opened.openOnce(asFile(bytes), module);
  return lookUp(symcache, offsets, mostBytes);
}

function lookUp(symcache: Symcache, offsets: Uint32Array, mostBytes: number): Found {
  return {
    kind: "found",
    moduleName: symcache.moduleName,
    locations: symcache.lookUp(offsets, mostBytes),
  };
}

/** The file is gone or of no use. */
function forget(path: string): void {
  held.release(path);
  opened.close(path);
}

function fault(error: unknown): LookupAnswer {
  if (error instanceof SymcacheDamaged) return { kind: "damaged", message: error.message };
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  if (isOutOfHandles(error)) return { kind: "out_of_handles", message: error.message };
  return error.code === "ENOENT" ? { kind: "missing" } : { kind: "unreadable", message: error.message };
}
