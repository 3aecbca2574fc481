import { open } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DownloadError } from "../sources/downloadError.ts";
import { gunzipPieces, pieceBytes } from "../sources/gunzip.ts";
import { CommandError, fileError } from "./commandError.ts";
import { countBytes } from "./countBytes.ts";

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
    return createInput("standard input", undefined, addAbortSignal(signal, process.stdin));
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
  const counted = countBytes(stream, (length) => (bytesRead += length));
  return {
    name,
    bytes,
    get bytesRead() {
      return bytesRead;
    },
    pieces: decompressed(name, counted),
  };
}

async function* decompressed(name: string, compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const pieces = withWholeStart(compressed, (start) => start.length > 1)[Symbol.asyncIterator]();
  try {
    const first = await pieces.next();
    if (first.done === true) throw new CommandError("usage", `${name} is empty`);
    const all = startingWith(first.value, pieces);
    const isGzipped = first.value[0] === 0x1f && first.value[1] === 0x8b;
    yield* isGzipped ? gunzipPieces(all) : all;
  } catch (error) {
    if (error instanceof DownloadError)
      throw new CommandError("usage", `can't read ${name}: ${error.message}`, { cause: error });
    if (error instanceof CommandError) throw error;
    throw fileError(`can't read ${name}`, error);
  } finally {
    await pieces.return?.();
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield first;
  for (let next; (next = await rest.next()).done !== true;) yield next.value;
}

/** The same bytes, in pieces of which the first has the whole start, if they have one at all. No pieces where there are no bytes. */
export async function* withWholeStart(
  pieces: AsyncIterable<Uint8Array>,
  isWhole: (start: Uint8Array) => boolean,
): AsyncIterable<Uint8Array> {
  let start: Uint8Array | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (!start) {
      yield piece;
      continue;
    }
    start = Buffer.concat([start, piece]);
    if (!isWhole(start)) continue;
    yield start;
    start = undefined;
  }
  if (start && start.length > 0) yield start;
}
