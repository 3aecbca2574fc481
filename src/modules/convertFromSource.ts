import { performance } from "node:perf_hooks";
import { Deadline } from "../async/deadline.ts";
import type { Config } from "../config/readConfig.ts";
import { retryPolicy } from "../config/retryPolicy.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import { DownloadError } from "../sources/downloadError.ts";
import type { Source } from "../sources/source.ts";
import type { Conversion, ConverterPool } from "../symcache/convert/converterPool.ts";
import { ThreadEnded } from "../threads/thread.ts";

/** A conversion took too long, not counting the time in which it waited for the download. */
export class ConversionTimeout extends Error {
  override name = "ConversionTimeout";
}

/** How long a download took, and the conversion that it fed while it ran. */
export interface DownloadTimings {
  downloadMs: number;
  /** Of the sym file, decompressed. Undefined if the download failed. */
  downloadedBytes: number | undefined;
  /** From the first chunk of the sym file on; 0 if there was none. */
  conversionMs: number;
  isConverted: boolean;
  /** The sym file's name for the module, if it is another one. */
  otherName: string | undefined;
}

interface Deps {
  source: Source;
  converters: ConverterPool;
  config: Pick<Config, "sources" | "conversion">;
}

/** Times on the performance clock. */
interface Progress {
  start: number;
  firstChunk?: number;
  downloaded?: { at: number; bytes: number };
  converted?: number;
  otherName?: string | undefined;
}

/**
 * Downloads a module's sym file, converts it as it arrives and passes the conversion to `store`. `stored` is undefined if the
 * source has no sym file. Aborting `ending` gives up.
 */
export async function convertFromSource<Stored>(
  module: ModuleId,
  { source, converters, config }: Deps,
  store: (conversion: Conversion) => Promise<Stored>,
  ending: AbortSignal,
): Promise<{ downloads: DownloadTimings[]; stored?: Stored | undefined; error?: unknown }> {
  const downloads: DownloadTimings[] = [];
  for (let attempt = 1; ; attempt++) {
    using deadline = new Deadline(config.sources.downloadTimeoutMs);
    const signal = AbortSignal.any([deadline.signal, ending]);
    const download = async () => {
      const progress: Progress = { start: performance.now() };
      try {
        deadline.resume();
        await using symText = await source.open(module, signal);
        deadline.pause();
        if (!symText) return undefined;
        const chunks = supervise(symText.pieces, progress, deadline, config);
        using conversion = await converters.convert(module, chunks);
        progress.converted = performance.now();
        progress.otherName = conversion.otherName;
        return await store(conversion);
      } finally {
        downloads.push(timingsOf(progress, performance.now()));
      }
    };
    try {
      return { downloads, stored: await source.attempt(download, signal) };
    } catch (error) {
      const isRetryable = error instanceof ThreadEnded && error.isRetryable;
      if (!isRetryable || attempt === retryPolicy.conversionAttempts || ending.aborted)
        return { downloads, error };
    }
  }
}

/** Passes the chunks on. The deadline runs only while the source is waited for; the time between chunks is the converter's. */
async function* supervise(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
  deadline: Deadline,
  { sources: { maxSymFileBytes }, conversion: { totalTimeoutMs } }: Deps["config"],
): AsyncIterable<Uint8Array> {
  let bytes = 0;
  let conversionMs = 0;
  deadline.resume();
  for await (const chunk of chunks) {
    deadline.pause();
    const arrived = performance.now();
    progress.firstChunk ??= arrived;
    bytes += chunk.length;
    if (bytes > maxSymFileBytes)
      throw new DownloadError("too_large", `the sym file has more than ${maxSymFileBytes} bytes`);
    yield chunk;
    conversionMs += performance.now() - arrived;
    if (conversionMs > totalTimeoutMs)
      throw new ConversionTimeout(`conversion took over ${totalTimeoutMs / 1000} s`);
    deadline.resume();
  }
  deadline.pause();
  progress.downloaded = { at: performance.now(), bytes };
}

function timingsOf(progress: Progress, end: number): DownloadTimings {
  const { start, firstChunk, downloaded, converted, otherName } = progress;
  return {
    downloadMs: (downloaded?.at ?? end) - start,
    downloadedBytes: downloaded?.bytes,
    conversionMs: firstChunk === undefined ? 0 : (converted ?? end) - firstChunk,
    isConverted: converted !== undefined,
    otherName,
  };
}
