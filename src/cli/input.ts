import { open } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { DownloadError } from "../symbols/downloadError.ts";
import { gunzipPieces, pieceBytes } from "../symbols/gunzip.ts";
import { CommandError, fileError } from "./commandError.ts";

/** A file or standard input, decompressed where it is gzipped. */
export interface Input {
  /** As messages call it. */
  readonly name: string;
  /** Size of the file, where that is known. */
  readonly bytes: number | undefined;
  /** How much of the file was read so far. */
  readonly bytesRead: number;
  /** Throws a CommandError. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** `path`: `-` or nothing is standard input. Throws a CommandError. */
export async function openInput(path: string | undefined, signal: AbortSignal): Promise<Input> {
  if (path === undefined && process.stdin.isTTY)
    throw new CommandError("usage", "no file is named, and nothing is piped in");
  if (path === undefined || path === "-")
    return createInput("standard input", undefined, Readable.from(process.stdin, { signal }));
  try {
    const file = await open(path);
    const stats = await file.stat();
    const stream = file.createReadStream({ highWaterMark: pieceBytes, signal });
    return createInput(path, stats.isFile() ? stats.size : undefined, stream);
  } catch (error) {
    throw fileError(`can't read ${path}`, error);
  }
}

/** All of a file or standard input. Throws a CommandError. */
export async function readInput(
  path: string | undefined,
  signal: AbortSignal,
): Promise<{ name: string; bytes: Buffer }> {
  const input = await openInput(path, signal);
  return { name: input.name, bytes: await buffer(input.pieces) };
}

function createInput(name: string, bytes: number | undefined, stream: AsyncIterable<Uint8Array>): Input {
  let bytesRead = 0;
  async function* counted() {
    for await (const piece of stream) {
      bytesRead += piece.length;
      yield piece;
    }
  }
  return {
    name,
    bytes,
    get bytesRead() {
      return bytesRead;
    },
    pieces: decompressed(name, counted()),
  };
}

async function* decompressed(name: string, pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    let start: Uint8Array = Buffer.alloc(0);
    let isCompressed: boolean | undefined;
    const rest = pieces[Symbol.asyncIterator]();
    while (isCompressed === undefined) {
      const { value, done } = await rest.next();
      if (done === true) break;
      start = start.length === 0 ? value : Buffer.concat([start, value]);
      if (start.length > 1) isCompressed = start[0] === 0x1f && start[1] === 0x8b;
    }
    if (start.length === 0) throw new CommandError("usage", `${name} is empty`);
    const all = startingWith(start, rest);
    yield* isCompressed === true ? gunzipPieces(all) : all;
  } catch (error) {
    if (error instanceof DownloadError)
      throw new CommandError("usage", `can't read ${name}: ${error.message}`, { cause: error });
    if (error instanceof CommandError) throw error;
    throw fileError(`can't read ${name}`, error);
  }
}

async function* startingWith(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield start;
  for (let next; (next = await rest.next()).done !== true;) yield next.value;
}
