import { open, type FileHandle } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { createBrotliDecompress } from "node:zlib";
import { DownloadError } from "../sources/downloadError.ts";
import { decode, decompress, pieceBytes } from "../sources/decompress.ts";
import { listFiles, openZipFile, readFile } from "../sources/zipFile.ts";
import { CommandError, fileError } from "./commandError.ts";

/** A file or standard input, decompressed if it is gzip, zlib, zstd, a zip file with a single file, or named `.br`. */
export interface Input {
  /** For messages. */
  readonly name: string;
  /** File size, if known. */
  readonly bytes: number | undefined;
  /** So far, before decompression. */
  readonly bytesRead: number;
  /** Throws a CommandError. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Without a path, or with `-`, standard input. Throws a CommandError. */
export async function openInput(path: string | undefined, signal: AbortSignal): Promise<Input> {
  if (path === undefined && process.stdin.isTTY)
    throw new CommandError("usage", "no input: name a file, or pipe one in");
  if (path === undefined || path === "-")
    return createInput("standard input", undefined, addAbortSignal(signal, process.stdin));
  try {
    const file = await open(path);
    const stats = await file.stat();
    const bytes = stats.isFile() ? stats.size : undefined;
    if (bytes !== undefined && (await isZip(file)))
      return createInput(path, undefined, readOnlyFile(file, signal));
    const stream = file.createReadStream({ highWaterMark: pieceBytes, signal });
    if (!path.endsWith(".br")) return createInput(path, bytes, stream);
    return createInput(path, undefined, decode(stream, brotli));
  } catch (error) {
    throw fileError(`can't read ${path}`, error);
  }
}

const brotli = {
  name: "Brotli",
  createDecoder: () => createBrotliDecompress({ chunkSize: pieceBytes }),
};

async function isZip(file: FileHandle): Promise<boolean> {
  const start = await file.read({ buffer: Buffer.alloc(4), position: 0 });
  return start.buffer.equals(Buffer.from("PK\u0003\u0004"));
}

async function* readOnlyFile(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const zip = await openZipFile(file);
  const files = await listFiles(zip);
  const [only] = files;
  if (!only || files.length > 1)
    throw new DownloadError("failed", `the zip file has ${files.length} files, not one`);
  yield* readFile(zip, only, signal);
}

/** Passes the pieces on, after calling `count` with the size of each. */
export async function* countBytes(
  pieces: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    count(piece.length);
    yield piece;
  }
}

function createInput(name: string, bytes: number | undefined, stream: AsyncIterable<Uint8Array>): Input {
  const input = { name, bytes, bytesRead: 0, pieces: readPieces() };
  return input;

  async function* readPieces(): AsyncIterable<Uint8Array> {
    try {
      yield* decompress(countBytes(stream, (length) => (input.bytesRead += length)));
    } catch (error) {
      if (error instanceof DownloadError)
        throw new CommandError("usage", `can't read ${name}: ${error.message}`, { cause: error });
      throw fileError(`can't read ${name}`, error);
    }
    if (input.bytesRead === 0) throw new CommandError("usage", `${name} is empty`);
  }
}
