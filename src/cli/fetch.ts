import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { isDebugFilename, isDebugId } from "../http/parseJobs.ts";
import { createSource } from "../symbols/createSource.ts";
import { DownloadError } from "../symbols/downloadError.ts";
import { symFilePath, type Source, type WantedModule } from "../symbols/source.ts";
import { CommandError } from "./commandError.ts";
import { interruptible } from "./interruption.ts";
import { print, writeOutput } from "./output.ts";
import { megabytes, Progress, speed } from "./progress.ts";
import { readSettings, symbolsOption, type Environment } from "./settings.ts";

export function fetchCommand(env: Environment) {
  return new Command("fetch")
    .summary("download a sym file")
    .description("Downloads the sym file of a module, and decompresses it.")
    .argument("<file>", "debug filename, such as libxul.so or xul.pdb")
    .argument("<id>", "debug id, such as 1410FAF03AD925211450AE25E0CB9AE50")
    .addOption(symbolsOption())
    .option(
      "-o, --output <file>",
      "where it goes, - is standard output (default: its own name, in this folder)",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot fetch xul.pdb 44E4EC8C2F41492B9369D6B9A059577C2
  $ tseliot fetch libxul.so 1410FAF03AD925211450AE25E0CB9AE50 --output - | grep ^INFO`,
    )
    .action(async (debugFilename, debugId, options) => {
      if (!isDebugFilename(debugFilename) || debugFilename === "")
        throw new CommandError("usage", `${JSON.stringify(debugFilename)} is no debug filename`);
      if (!isDebugId(debugId) || debugId === "")
        throw new CommandError(
          "usage",
          `${JSON.stringify(debugId)} is no debug id: that has hex digits alone`,
        );
      const module = { debugFilename, debugId: debugId.toUpperCase() };
      const output = options.output ?? basename(symFilePath(module));
      const config = readSettings(env, options);
      await interruptible(async (signal) => {
        await using lifetimes = new AsyncDisposableStack();
        const sources = config.sources.map((address) => lifetimes.use(createSource(address, config)));
        await fetchFromAny(sources, module, output, signal);
      });
    });
}

async function fetchFromAny(
  sources: Source[],
  module: WantedModule,
  output: string,
  signal: AbortSignal,
): Promise<void> {
  const failures: string[] = [];
  for (const source of sources) {
    try {
      if (await source.attempt(() => download(source, module, output, signal), signal)) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DownloadError)) throw error;
      failures.push(`${source.address}: ${error.message}`);
    }
  }
  const wanted = `${module.debugFilename} ${module.debugId}`;
  if (failures.length > 0) throw new CommandError("failed", `can't get ${wanted}: ${failures.join("; ")}`);
  throw new CommandError("no", `no source has a sym file of ${wanted}`);
}

/** False where the source has no such file. */
async function download(
  source: Source,
  module: WantedModule,
  output: string,
  signal: AbortSignal,
): Promise<boolean> {
  await using symText = await source.open(module, signal);
  if (!symText) return false;
  const start = performance.now();
  const received = { bytes: 0 };
  const described = () => `${megabytes(received.bytes)}, ${speed(received.bytes, performance.now() - start)}`;
  const text = followed(symText.pieces, received, () => `${module.debugFilename}: ${described()}`);
  if (output === "-") {
    try {
      await print(text);
    } catch (error) {
      if (!(error instanceof DownloadError) || received.bytes === 0) throw error;
      // What was printed can't be taken back: no other source, and no other attempt.
      throw new CommandError("failed", `${source.address}: ${error.message}`, { cause: error });
    }
  } else {
    await writeOutput(output, text, signal);
    await print([`${output}: ${described()} from ${source.address}\n`]);
  }
  return true;
}

async function* followed(
  pieces: AsyncIterable<Uint8Array>,
  received: { bytes: number },
  describe: () => string,
): AsyncIterable<Uint8Array> {
  using progress = new Progress();
  for await (const piece of pieces) {
    received.bytes += piece.length;
    progress.show(describe);
    yield piece;
  }
}
