import { printable } from "../captures/printable.ts";
import { basename } from "node:path";
import { moduleId, type ModuleId } from "../identity/moduleId.ts";
import { readStart } from "../sources/decompress.ts";
import { ConversionError, Converter } from "../symcache/convert/converter.ts";
import { compileWasm } from "../symcache/wasmInstance.ts";
import { CommandError } from "./commandError.ts";
import { openInput, type Input } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { print, replaceFile } from "./output.ts";
import { Progress, sizeText, speedText } from "./progress.ts";

/** A longer line is not a MODULE record. */
const maxRecordLength = 4096;

export async function convertSymFile(
  sym: string,
  { output, json }: { output?: string | undefined; json?: true | undefined },
): Promise<void> {
  const symcache = output ?? symcacheName(sym);
  if (symcache === "-") throw new CommandError("usage", "a symcache can't be written to standard output");
  const done = await interruptible((signal) => convert(sym, symcache, signal));
  await print([json === true ? JSON.stringify(done) : printable(describe(done)), "\n"]);
}

interface Done {
  debugFilename: string;
  debugId: string;
  symcache: string;
  symFileBytes: number;
  symcacheBytes: number;
  milliseconds: number;
}

function describe({ symcache, debugFilename, debugId, ...done }: Done): string {
  const { symFileBytes, symcacheBytes, milliseconds } = done;
  const seconds = (milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 1);
  return (
    `${symcache}: ${debugFilename} ${debugId}, ${sizeText(symcacheBytes)} from ${sizeText(symFileBytes)} ` +
    `in ${seconds} s, ${speedText(symFileBytes, milliseconds)}`
  );
}

function symcacheName(sym: string): string {
  if (sym === "-") throw new CommandError("usage", "standard input requires --output");
  return `${basename(sym).replace(/(\.sym)?(\.gz)?$/, "")}.symc`;
}

async function convert(sym: string, symcache: string, signal: AbortSignal): Promise<Done> {
  const input = await openInput(sym, signal);
  const start = performance.now();
  try {
    const { converter, module, symFileBytes } = await convertText(input, signal);
    using _ = converter;
    const symcacheBytes = converter.finish();
    signal.throwIfAborted();
    await replaceFile(symcache, async (path, flags) => converter.writeFile(path, flags));
    const milliseconds = Math.round(performance.now() - start);
    const { debugFile: debugFilename, debugId } = module;
    return { symcache, debugFilename, debugId, symFileBytes, symcacheBytes, milliseconds };
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CommandError("usage", `${input.name} can't be converted: ${error.message}`, { cause: error });
  }
}

async function convertText(input: Input, signal: AbortSignal) {
  using progress = new Progress();
  const wasm = await compileWasm();
  const start = performance.now();
  let symFileBytes = 0;
  let conversion: { converter: Converter; module: ModuleId } | undefined;
  const progressText = () => {
    const percent =
      input.bytes === undefined ? "" : `${Math.floor((100 * input.bytesRead) / input.bytes)} %, `;
    const speed = speedText(symFileBytes, performance.now() - start);
    return `${input.name}: ${percent}${sizeText(symFileBytes)}, ${speed}`;
  };
  const { all } = await readStart(input.pieces, hasFirstLine);
  for await (const piece of all) {
    signal.throwIfAborted();
    if (!conversion) {
      const module = readModuleRecord(input.name, piece);
      conversion = { module, converter: new Converter(wasm, module) };
    }
    conversion.converter.push(piece);
    symFileBytes += piece.length;
    progress.show(progressText);
  }
  if (!conversion) throw new CommandError("usage", `${input.name} is empty`);
  return { ...conversion, symFileBytes };
}

function hasFirstLine(start: Uint8Array): boolean {
  return start.includes("\n".charCodeAt(0)) || start.length > maxRecordLength;
}

/** `MODULE Linux x86_64 1410FAF03AD925211450AE25E0CB9AE50 libxul.so` */
function readModuleRecord(name: string, start: Uint8Array): ModuleId {
  const [line = ""] = Buffer.from(start).toString("utf8", 0, maxRecordLength).split(/\r?\n/, 1);
  const [, debugId, debugFile] = /^MODULE \S+ \S+ ([0-9A-Fa-f]+) (.+)$/.exec(line) ?? [];
  if (debugId === undefined || debugFile === undefined)
    throw new CommandError("usage", `${name} is not a sym file: it does not start with a MODULE record`);
  return moduleId(debugFile, debugId);
}
