import { realpath, stat } from "node:fs/promises";
import { printable } from "../captures/printable.ts";
import type { SymbolicatedFrame, V5Response } from "../captures/response.ts";
import { stackText } from "../captures/stackText.ts";
import { slicesOf } from "../symcache/lookup/locations.ts";
import { Symcache, SymcacheDamaged, type SymcacheContents } from "../symcache/symcache.ts";
import { openFile, type SymcacheFile } from "../symcache/symcacheFile.ts";
import { compileWasm, WasmInstance } from "../symcache/wasmInstance.ts";
import { CommandError, exitCodes, fileError } from "./commandError.ts";
import { hex, whole } from "../captures/numberText.ts";
import { print } from "./output.ts";
import { Progress, sizeText } from "./progress.ts";
import { symbolicateRequest } from "./symbolicate/symbolicateRequest.ts";

export async function inspectSymcache(
  path: string,
  offsets: string[],
  { json }: { json?: true | undefined },
): Promise<void> {
  const inspection = await inspect(path, offsets.map(parseOffset));
  await print([json === true ? `${JSON.stringify(inspection)}\n` : printable(describe(inspection))]);
  if (inspection.damage !== null) process.exitCode = exitCodes.no;
}

interface Inspection {
  file: string;
  bytes: number;
  /** Absent if the header is invalid. */
  contents?: SymcacheContents;
  /** The number of valid pages. */
  pages: number;
  damage: string | null;
  /** Frames as in the API. */
  lookups: SymbolicatedFrame[];
}

function describe({ file, bytes, contents, pages, damage, lookups }: Inspection): string {
  const rows: [string, string | number][] = [["size", sizeText(bytes)]];
  if (contents) {
    const { debugFilename, debugId, version, payloadBytes, firstAddress, lastAddress, ...counts } = contents;
    const { files, functions, sourceLocations, ranges, stringBytes } = counts;
    rows.push(
      ["module", `${debugFilename} ${debugId}`],
      ["format", `Symbolic's symcache, version ${version}, with ${bytes - payloadBytes} bytes of trailer`],
      ["files", files],
      ["functions", functions],
      ["calls", sourceLocations],
      ["ranges", ranges],
      ["addresses", firstAddress === undefined ? "none" : `${hex(firstAddress)} to ${hex(lastAddress ?? 0)}`],
      ["strings", sizeText(stringBytes)],
    );
  }
  if (damage === null) rows.push(["pages", `all ${whole(pages)} are valid`]);
  else if (pages > 0) rows.push(["pages", `the first ${whole(pages)} are valid`]);
  if (damage !== null) rows.push(["damage", damage]);
  const table = rows
    .map(([name, value]) => `  ${name.padEnd(9)}  ${typeof value === "number" ? whole(value) : value}\n`)
    .join("");
  return `${file}\n${table}${lookups.length > 0 ? `\n${stackText(lookups)}\n` : ""}`;
}

function parseOffset(text: string): number {
  const offset = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : NaN;
  if (offset < 2 ** 32) return offset;
  throw new CommandError("usage", `${JSON.stringify(text)} is not an offset from 0 to 0xffffffff`);
}

async function inspect(path: string, offsets: number[]): Promise<Inspection> {
  using file = await open(path);
  const magic = Buffer.alloc(4);
  file.readAt(magic, 0);
  if (magic.toString("latin1") !== "SYMC") throw new CommandError("usage", `${path} is not a symcache`);
  const inspection: Inspection = { file: path, bytes: file.size, pages: 0, damage: null, lookups: [] };
  try {
    const instance = new WasmInstance(await compileWasm());
    using symcache = Symcache.open(instance, file.readAt, file.size);
    inspection.contents = symcache.describe();
    using progress = new Progress();
    for (; inspection.pages < symcache.pages; inspection.pages++) {
      checkPage(symcache, inspection.pages);
      progress.show(() => `${path}: ${Math.floor((100 * inspection.pages) / symcache.pages)} % checked`);
    }
    if (offsets.length > 0) inspection.lookups = await lookUp(symcache, offsets);
  } catch (error) {
    if (!(error instanceof SymcacheDamaged)) throw error;
    inspection.damage = error.message;
  }
  return inspection;
}

async function open(path: string): Promise<SymcacheFile> {
  try {
    const target = await realpath(path);
    if ((await stat(target)).isFile()) return openFile(target);
    throw new CommandError("usage", `${path} is not a file`);
  } catch (error) {
    throw fileError(`can't read ${path}`, error);
  }
}

/** Checks the next page, which is the one with this index. */
function checkPage(symcache: Symcache, page: number): void {
  try {
    symcache.readAhead(1);
  } catch (error) {
    if (!(error instanceof SymcacheDamaged)) throw error;
    const place = `page ${page}, at byte ${page * symcache.pageBytes}`;
    throw new SymcacheDamaged(`${error.message}: ${place}`, { cause: error });
  }
}

async function lookUp(symcache: Symcache, offsets: number[]): Promise<SymbolicatedFrame[]> {
  // Not the symcache's own name, which may be invalid in a request.
  const body = JSON.stringify({
    memoryMap: [["symcache", "0"]],
    stacks: [offsets.map((offset) => [0, offset])],
  });
  const { moduleName } = symcache;
  const response = await symbolicateRequest("v5", body, {
    lookUp: async (_, wanted) => ({
      result: {
        status: "cached",
        moduleName,
        locations: slicesOf(wanted).map((slice) => symcache.lookUp(slice)),
      },
      cacheLookupMs: 0,
    }),
  });
  return (response as V5Response).results[0]?.stacks[0] ?? [];
}
