import { moduleId, unservableReason, type ModuleId } from "../identity/moduleId.ts";
import { createSource } from "../sources/createSource.ts";
import { readStart } from "../sources/decompress.ts";
import { DownloadError } from "../sources/downloadError.ts";
import { symFileName, type Source } from "../sources/source.ts";
import { ConversionError, Converter } from "../symcache/convert/converter.ts";
import { compileWasm } from "../symcache/wasmInstance.ts";
import { CommandError } from "./commandError.ts";
import { countBytes } from "./input.ts";
import { interruptible } from "./interruption.ts";
import type { Environment } from "../config/readConfig.ts";
import { print, writeOutput } from "./output.ts";
import { Progress, sizeText, speedText } from "./progress.ts";
import { readSettings } from "./settings.ts";

export async function fetchSymFile(
  debugFilename: string,
  debugId: string,
  env: Environment,
  options: { symbols?: string | undefined; output?: string | undefined },
): Promise<void> {
  const module = moduleId(debugFilename, debugId);
  const reason = debugFilename === "" ? "the debug file name is empty" : unservableReason(module);
  if (reason !== undefined) throw new CommandError("usage", `${JSON.stringify(module.key)}: ${reason}`);
  const output = options.output ?? symFileName(module);
  const config = readSettings(env, options);
  await interruptible(async (signal) => {
    await using lifetimes = new AsyncDisposableStack();
    const sources = config.sources.urls.map((address) =>
      lifetimes.use(createSource(address, config.sources)),
    );
    await fetchFromAny(sources, module, output, signal);
  });
}

async function fetchFromAny(
  sources: Source[],
  module: ModuleId,
  output: string,
  signal: AbortSignal,
): Promise<void> {
  const failures: string[] = [];
  for (const source of sources) {
    try {
      if (await source.attempt(() => download(source, module, output, signal), signal)) return;
    } catch (error) {
      signal.throwIfAborted();
      const isBadFile = error instanceof ConversionError;
      if (!isBadFile && !(error instanceof DownloadError)) throw error;
      failures.push(`${source.address}: ${isBadFile ? "not a usable sym file: " : ""}${error.message}`);
    }
  }
  const wanted = `${module.debugFile} ${module.debugId}`;
  if (failures.length > 0)
    throw new CommandError("failed", `can't download ${wanted}: ${failures.join("; ")}`);
  throw new CommandError("no", `no source has a sym file for ${wanted}`);
}

/** False if the source has no such file. */
async function download(
  source: Source,
  module: ModuleId,
  output: string,
  signal: AbortSignal,
): Promise<boolean> {
  await using symText = await source.open(module, signal);
  if (!symText) return false;
  const start = performance.now();
  const received = { bytes: 0 };
  const size = () => `${sizeText(received.bytes)}, ${speedText(received.bytes, performance.now() - start)}`;
  const text = showProgress(
    checkSymFile(symText.pieces, module),
    received,
    () => `${module.debugFile}: ${size()}`,
  );
  if (output === "-") {
    try {
      await print(text);
    } catch (error) {
      const isBadSource = error instanceof DownloadError || error instanceof ConversionError;
      if (!isBadSource || received.bytes === 0) throw error;
      // Part of the file was printed already, so another source or attempt can't be used.
      throw new CommandError("failed", `${source.address}: ${error.message}`, { cause: error });
    }
  } else {
    await writeOutput(output, text, signal);
    await print([`${output}: ${size()} from ${source.address}\n`]);
  }
  return true;
}

/** Longer than the MODULE record, which the converter checks first. */
const minStartBytes = 321;

/**
 * Passes the text on after converting it, to check what the service checks. The last piece, which may be the only one, waits
 * for the end of the conversion. Throws a ConversionError.
 */
async function* checkSymFile(pieces: AsyncIterable<Uint8Array>, module: ModuleId): AsyncIterable<Uint8Array> {
  using converter = new Converter(await compileWasm(), module);
  let last: Uint8Array | undefined;
  const { all } = await readStart(pieces, ({ length }) => length >= minStartBytes);
  for await (const piece of all) {
    if (last) yield last;
    converter.push(piece);
    last = piece;
  }
  converter.finish();
  if (last) yield last;
}

async function* showProgress(
  pieces: AsyncIterable<Uint8Array>,
  received: { bytes: number },
  describe: () => string,
): AsyncIterable<Uint8Array> {
  using progress = new Progress();
  yield* countBytes(pieces, (length) => {
    received.bytes += length;
    progress.show(describe);
  });
}
