import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import type { ReadAt } from "./wasmInstance.ts";

/** How a symcache's file is opened: a link is not followed, and nobody who writes to a pipe is waited for. */
export const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A symcache's file, open for reading. What is read of it stays the same when it is replaced or removed meanwhile. */
export interface SymcacheFile extends Disposable {
  /** Bytes. */
  readonly size: number;
  readonly readAt: ReadAt;
}

/**
 * What tells the file at a path from another that takes its place, and from itself before it was written to: writing sets
 * both of its times to the same, while renaming and noting its last use, which the folder does, set them apart. A link is
 * not followed. Throws what the disk says.
 */
export function identify(path: string): string {
  const { dev, ino, size, birthtimeNs, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  return [dev, ino, size, birthtimeNs, mtimeNs === ctimeNs ? mtimeNs : ""].join(" ");
}

/** Throws what the disk says, also where the path is a link. */
export function openFile(path: string): SymcacheFile {
  const file = openSync(path, readOnly);
  return {
    size: fstatSync(file).size,
    readAt: (into, offset) => readSync(file, into, 0, into.length, offset),
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** Whether a file could not be opened for want of a handle, of which connections may have taken all. */
export function isOutOfHandles(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}

/** Reads again and again, until V8 has compiled that for speed: the first lookup in a large symcache reads thousands of pages. */
export function warmUpReading(): void {
  using file = openFile(import.meta.filename);
  const page = new Uint8Array(4096);
  for (let read = 0; read < 4000; read++) file.readAt(page, 0);
}

/** Bytes in memory, as if they were in a file. */
export function asFile(memory: SharedArrayBuffer): SymcacheFile {
  const bytes = new Uint8Array(memory);
  const readAt = (into: Uint8Array, offset: number) => {
    const piece = bytes.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  };
  return { size: bytes.length, readAt, [Symbol.dispose]() {} };
}
