import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { ConversionError, Converter } from "../symbolic/converter.ts";
import { compileWasm } from "../symbolic/wasmInstance.ts";
import { CommandError } from "./commandError.ts";
import { openInput, type Input } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { print, replaceFile } from "./output.ts";
import { megabytes, Progress, speed } from "./progress.ts";

/** A line that is longer is no MODULE record. */
const longestRecord = 4096;

export function convertCommand() {
  return new Command("convert")
    .summary("convert a sym file into a symcache")
    .description(
      "Converts a Breakpad sym file, gzipped or not, into a symcache: the file that the service looks offsets up in.",
    )
    .argument("<sym>", "sym file; - is standard input")
    .option(
      "-o, --output <file>",
      "the symcache (default: in this folder, by the sym file's name with .symc behind it)",
    )
    .option("--json", "print what was done as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot convert libxul.so.sym
  $ dump_syms libxul.so | tseliot convert - --output libxul.symc
  $ tseliot convert xul.sym.gz --json | jq .symcacheBytes`,
    )
    .action(async (sym, { output, json }) => {
      const symcache = output ?? symcacheName(sym);
      const done = await interruptible((signal) => convert(sym, symcache, signal));
      await print([json === true ? `${JSON.stringify(done)}\n` : `${describe(done)}\n`]);
    });
}

interface Done {
  symcache: string;
  debugFilename: string;
  debugId: string;
  symFileBytes: number;
  symcacheBytes: number;
  milliseconds: number;
}

function describe({ symcache, debugFilename, debugId, ...done }: Done): string {
  const { symFileBytes, symcacheBytes, milliseconds } = done;
  const seconds = (milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 1);
  return (
    `${symcache}: ${debugFilename} ${debugId}, ${megabytes(symcacheBytes)} from ${megabytes(symFileBytes)} of text ` +
    `in ${seconds} s, ${speed(symFileBytes, milliseconds)}`
  );
}

function symcacheName(sym: string): string {
  if (sym === "-") throw new CommandError("usage", "what comes from standard input needs an --output");
  return `${basename(sym).replace(/(\.sym)?(\.gz)?$/, "")}.symc`;
}

async function convert(sym: string, symcache: string, signal: AbortSignal): Promise<Done> {
  const input = await openInput(sym, signal);
  const start = performance.now();
  const pieces = input.pieces[Symbol.asyncIterator]();
  const { debugFilename, debugId, text } = await readModuleRecord(input, pieces);
  using converter = new Converter(await compileWasm(), { debugFilename, debugId });
  try {
    const symFileBytes = await pushAll(converter, text, pieces, input, signal);
    const symcacheBytes = converter.finish();
    signal.throwIfAborted();
    await replaceFile(symcache, async (path, flags) => write(converter, path, flags));
    const milliseconds = performance.now() - start;
    return { symcache, debugFilename, debugId, symFileBytes, symcacheBytes, milliseconds };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CommandError("usage", `${input.name} can't be converted: ${error.message}`, { cause: error });
  }
}

/** `MODULE Linux x86_64 1410FAF03AD925211450AE25E0CB9AE50 libxul.so`, and the text that was read to find it. */
async function readModuleRecord(input: Input, pieces: AsyncIterator<Uint8Array>) {
  let text = Buffer.alloc(0);
  while (text.length < longestRecord && !text.includes("\n")) {
    const next = await pieces.next();
    if (next.done === true) break;
    text = Buffer.concat([text, next.value]);
  }
  const line = text.toString("utf8", 0, longestRecord).split(/\r?\n/, 1)[0] ?? "";
  const [, debugId, debugFilename] = /^MODULE \S+ \S+ ([0-9A-Fa-f]+) (.+)$/.exec(line) ?? [];
  if (debugId === undefined || debugFilename === undefined)
    throw new CommandError("usage", `${input.name} is no sym file: it doesn't begin with a MODULE record`);
  return { debugFilename, debugId: debugId.toUpperCase(), text };
}

/** Gives the number of bytes. */
async function pushAll(
  converter: Converter,
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  input: Input,
  signal: AbortSignal,
): Promise<number> {
  using progress = new Progress();
  const start = performance.now();
  let bytes = 0;
  for (let piece: Uint8Array | undefined = first; piece;) {
    signal.throwIfAborted();
    converter.push(piece);
    bytes += piece.length;
    progress.show(() => {
      const part =
        input.bytes === undefined ? "" : `${Math.floor((100 * input.bytesRead) / input.bytes)} %, `;
      return `${input.name}: ${part}${megabytes(bytes)}, ${speed(bytes, performance.now() - start)}`;
    });
    const next = await rest.next();
    piece = next.done === true ? undefined : next.value;
  }
  return bytes;
}

function write(converter: Converter, path: string, flags: "w" | "wx"): void {
  const file = openSync(path, flags);
  try {
    converter.write((piece) => {
      for (let written = 0; written < piece.length;) written += writeSync(file, piece, written);
    });
  } finally {
    closeSync(file);
  }
}
