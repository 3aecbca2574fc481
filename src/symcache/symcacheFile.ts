import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type BigIntStats } from "node:fs";
import type { ReadAt } from "./wasmInstance.ts";

/** Without following links, and without waiting for the writer of a pipe. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An open symcache file. It can still be read after it is replaced or removed. */
export interface SymcacheFile extends Disposable {
  /** As identify() returns it. */
  readonly identity: string;
  /** Bytes. */
  readonly size: number;
  readonly readAt: ReadAt;
}

/**
 * Identifies a file and its contents. Writing sets both times to the same value; renaming a file and recording its last use,
 * as the disk cache does, make them differ. Links are not followed. Throws the disk's error.
 */
export function identify(path: string): string {
  return identityOf(lstatSync(path, { bigint: true }));
}

function identityOf({ dev, ino, size, birthtimeNs, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, birthtimeNs, mtimeNs === ctimeNs ? mtimeNs : ""].join(" ");
}

/** Throws the disk's error, also if the path is a link. */
export function openFile(path: string): SymcacheFile {
  const file = openSync(path, readOnly);
  const stats = fstatSync(file, { bigint: true });
  return {
    identity: identityOf(stats),
    size: Number(stats.size),
    readAt: (into, offset) => readSync(file, into, 0, into.length, offset),
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** Whether a file could not be opened because the process, or the system, has too many open files. */
export function isOutOfHandles(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}

/** Lets V8 optimize reading: the first lookup in a large symcache reads thousands of pages. */
export function warmUpReading(): void {
  using file = openFile(import.meta.filename);
  const page = new Uint8Array(4096);
  for (let read = 0; read < 4000; read++) file.readAt(page, 0);
}

/** A symcache as the path of its file or, if it could not be stored, as its bytes. */
export type SymcacheBytes = string | SharedArrayBuffer;

/** Makes bytes in memory readable like a file. */
export function asFile(memory: SharedArrayBuffer): SymcacheFile {
  const bytes = new Uint8Array(memory);
  const readAt = (into: Uint8Array, offset: number) => {
    const piece = bytes.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  };
  return { identity: "", size: bytes.length, readAt, [Symbol.dispose]() {} };
}
