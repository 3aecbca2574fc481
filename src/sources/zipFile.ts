import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { fromFdPromise, type Entry, type ZipFile } from "yauzl";
import { DownloadError } from "./downloadError.ts";

export type { Entry, ZipFile };

/** Opens a zip file, which does not close `file`. Throws a DownloadError. */
export async function openZipFile(file: FileHandle): Promise<ZipFile> {
  return await fromFdPromise(file.fd, { autoClose: false, lazyEntries: true }).catch(fail);
}

/** The files in a zip file, without folders and the metadata of macOS; once. Throws a DownloadError. */
export async function listFiles(zip: ZipFile): Promise<Entry[]> {
  const entries = await Array.fromAsync(zip.eachEntry()).catch(fail);
  return entries.filter(({ fileName }) => !/\/$|^__MACOSX\//.test(fileName));
}

/** The content of a file in a zip file. Throws a DownloadError. */
export async function* readFile(zip: ZipFile, entry: Entry, signal: AbortSignal): AsyncIterable<Uint8Array> {
  if (entry.isEncrypted()) throw new DownloadError("failed", `${entry.fileName} is encrypted`);
  try {
    let crc = 0;
    for await (const piece of await zip.openReadStreamPromise(entry)) {
      signal.throwIfAborted();
      crc = crc32(piece as Uint8Array, crc);
      yield piece as Uint8Array;
    }
    if (crc !== entry.crc32) throw new Error(`wrong checksum of ${entry.fileName}`);
  } catch (error) {
    fail(error);
  }
}

function fail(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new DownloadError("failed", `bad zip file: ${reason}`, { cause });
}
