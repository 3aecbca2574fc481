import { realpath } from "node:fs/promises";
import { Command } from "@commander-js/extra-typings";
import { stringOf, type Locations } from "../symbolic/locations.ts";
import { Symcache, SymcacheDamaged } from "../symbolic/symcache.ts";
import { openFile, type SymcacheFile } from "../symbolic/symcacheFile.ts";
import { isSymcache, readSymcacheHeader, type SymcacheHeader } from "../symbolic/symcacheHeader.ts";
import { compileWasm, WasmInstance } from "../symbolic/wasmInstance.ts";
import { CommandError, exitCodes, fileError } from "./commandError.ts";
import { print } from "./output.ts";
import { megabytes, Progress } from "./progress.ts";
import { describeFrame, type SourceLocation } from "./stackText.ts";

const pageBytes = 4096;

export function inspectCommand() {
  return new Command("inspect")
    .summary("check a symcache, and look offsets up in it")
    .description(
      "Shows what a symcache holds, checks each page of it, and looks offsets up. The exit code is 1 where it is damaged.",
    )
    .argument("<symc>", "symcache file")
    .argument("[offsets...]", "offsets relative to the module, such as 0x6322a or 406058")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot inspect libxul.symc
  $ tseliot inspect /tmp/cache/symcache-v1/xul.pdb/*.symc 0x1a2b3c
  $ tseliot inspect libxul.symc --json | jq '{functions, ranges, damage}'`,
    )
    .action(async (symc, offsets, { json }) => {
      const inspection = await inspect(symc, offsets.map(parseOffset));
      await print([json === true ? `${JSON.stringify(inspection)}\n` : describe(inspection)]);
      if (inspection.damage !== null) process.exitCode = exitCodes.no;
    });
}

interface Inspection {
  file: string;
  bytes: number;
  /** Absent where not even these make sense. */
  header?: SymcacheHeader;
  pages?: number;
  /** What is wrong with it. */
  damage: string | null;
  lookups: { offset: number; locations: SourceLocation[]; functionOffset?: number }[];
}

function parseOffset(text: string): number {
  const offset = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : NaN;
  if (offset < 2 ** 32) return offset;
  throw new CommandError("usage", `${JSON.stringify(text)} is no offset from 0 to 0xffffffff`);
}

async function inspect(path: string, offsets: number[]): Promise<Inspection> {
  using file = await open(path);
  if (!isSymcache(file.readAt)) throw new CommandError("usage", `${path} is no symcache`);
  const inspection: Inspection = { file: path, bytes: file.size, damage: null, lookups: [] };
  try {
    inspection.header = readSymcacheHeader(file.readAt, file.size);
    using symcache = Symcache.open(
      new WasmInstance(await compileWasm()),
      file.readAt,
      file.size,
      inspection.header,
    );
    inspection.pages = checkPages(symcache, file, path);
    const locations = symcache.lookUp(Uint32Array.from(offsets));
    inspection.lookups = offsets.map((offset, number) => ({ offset, ...found(locations, number, offset) }));
  } catch (error) {
    if (!(error instanceof SymcacheDamaged)) throw error;
    inspection.damage = error.message;
  }
  return inspection;
}

async function open(path: string): Promise<SymcacheFile> {
  try {
    return openFile(await realpath(path));
  } catch (error) {
    throw fileError(`can't read ${path}`, error);
  }
}

/** Gives the number of pages. Throws a SymcacheDamaged that names the first damaged one. */
function checkPages(symcache: Symcache, file: SymcacheFile, path: string): number {
  using progress = new Progress();
  const bytes = symcache.payloadBytes;
  const page = new Uint8Array(pageBytes);
  for (let start = 0; start < bytes; start += pageBytes) {
    const length = file.readAt(page.subarray(0, Math.min(pageBytes, bytes - start)), start);
    try {
      symcache.hold(page.subarray(0, length));
    } catch (error) {
      if (!(error instanceof SymcacheDamaged)) throw error;
      throw new SymcacheDamaged(`${error.message}: page ${start / pageBytes}, at byte ${start}`);
    }
    progress.show(() => `${path}: ${Math.floor((100 * start) / bytes)} % checked`);
  }
  return Math.ceil(bytes / pageBytes);
}

function found(
  locations: Locations,
  number: number,
  offset: number,
): Omit<Inspection["lookups"][0], "offset"> {
  const [first = 0, last = 0] = locations.starts.slice(number, number + 2);
  const rows = Array.from({ length: last - first }, (_, row) => first + row);
  const functionStart = locations.functionStarts[number] ?? 0;
  return {
    locations: rows.map((row) => ({
      function: stringOf(locations, locations.functions[row] ?? 0),
      file: stringOf(locations, locations.files[row] ?? 0),
      line: locations.lines[row] ?? 0,
    })),
    ...(rows.length > 0 && { functionOffset: offset - functionStart }),
  };
}
