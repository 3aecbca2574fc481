import { listModules, type Job, type MemoryMapEntry } from "../../symbolication/job.ts";
import { InvalidJob, isDebugFilename, isDebugId, isObject, type JsonObject } from "../parseJob.ts";
import type { BulkOptions } from "./bulkOptions.ts";
import { FrameColumns } from "./frameColumns.ts";

/** What a crash ping's answer has beside the frames of its job. */
export interface PingNotes {
  /** Position of the thread that crashed among the job's stacks. */
  crashThread: number;
  /** What the ping calls the modules of the job's memory map, as `xul.dll` for `xul.pdb`; empty: nothing. */
  filenames: string[];
  /** How stack walkers found frames: `context`, `cfi`, `scan`. */
  trusts: string[];
  /** Per frame: position in `trusts`, −1 for none. */
  trustNumbers: Int32Array<ArrayBuffer>;
}

/** The threads of a crash ping as stacks, and the modules that their frames point into as the memory map. */
export interface CrashPing {
  job: Job;
  notes: PingNotes;
}

const maxAddress = 2n ** 64n - 1n;
const addressPattern = /^(?:0x)?([0-9a-f]{1,16})$/i;

/**
 * The threads that are asked for of a crash ping's `stack_traces`; keys may be in camelCase, as Android has them, and some
 * had other names in older pings:
 *
 *     {"crash_thread": 0,
 *      "modules": [{"base_address": "0x7f0000000000", "debug_file": "libxul.so", "debug_id": "1410…", "filename": "libxul.so"}],
 *      "threads": [{"frames": [{"ip": "0x7f0000001000", "module_index": 0, "trust": "context"}]}]}
 *
 * A module whose name or id no symbols can have keeps none of the other frames from being symbolicated. Throws an
 * InvalidJob.
 */
export function parseCrashPing(
  ping: JsonObject,
  { thread, frames: mostFrames = Infinity }: BulkOptions,
): CrashPing {
  const modules = ping["modules"] ?? [];
  if (!Array.isArray(modules)) throw new InvalidJob("modules must be a list", "modules");
  const all = ping["threads"] ?? [];
  if (!Array.isArray(all)) throw new InvalidJob("threads must be a list", "stacks");
  const crashed = crashThread(ping);
  const first = thread === "crashing" ? crashed : 0;
  const threads: unknown[] = thread === "crashing" ? [all[crashed] ?? {}] : all;
  const stacks = threads.map((value, index) => framesOf(value, first + index));
  const stackLengths = Uint32Array.from(stacks, ({ length }) => Math.min(length, mostFrames));
  const columns = new FrameColumns(stackLengths.reduce((sum, length) => sum + length, 0));
  const memoryMap = new UsedModules(modules);
  for (const [stack, frames] of stacks.entries()) {
    for (let number = 0; number < (stackLengths[stack] ?? 0); number++) {
      const invalid = (what: string) =>
        new InvalidJob(`thread ${first + stack} frame ${number} ${what}`, "stacks");
      const frame: unknown = frames[number];
      if (!isObject(frame)) throw invalid("is not an object");
      const index = frame["module_index"] ?? frame["moduleIndex"] ?? -1;
      if (!Number.isInteger(index)) throw invalid("has an invalid module_index");
      const module = index as number;
      if (module < -1 || module >= modules.length) throw invalid("has a module_index that isn't in modules");
      const ip = parseAddress(frame["ip"]);
      if (ip === undefined) throw invalid("has an invalid ip");
      const used = module < 0 ? undefined : memoryMap.use(module);
      const offset = used ? difference(ip, used.base) : ip;
      if (offset < 0) throw invalid("has an ip below the base_address of its module");
      columns.add(used?.position ?? -1, offset, frame["trust"]);
    }
  }
  return {
    job: { memoryMap: listModules(memoryMap.modules), stackLengths, ...columns.job },
    notes: {
      crashThread: crashed - first,
      filenames: memoryMap.filenames,
      trusts: columns.trusts,
      trustNumbers: columns.trustNumbers,
    },
  };
}

function crashThread(ping: JsonObject): number {
  const info = isObject(ping["crash_info"]) ? ping["crash_info"] : {};
  const index = ping["crash_thread"] ?? ping["crashThread"] ?? info["crashing_thread"] ?? 0;
  if (Number.isSafeInteger(index) && (index as number) >= 0) return index as number;
  throw new InvalidJob("crash_thread is not a position in threads", "stacks");
}

function framesOf(thread: unknown, number: number): unknown[] {
  if (!isObject(thread)) throw new InvalidJob(`thread ${number} is not an object`, "stacks");
  const frames = thread["frames"] ?? [];
  if (!Array.isArray(frames))
    throw new InvalidJob(`thread ${number} has frames that are not a list`, "stacks");
  return frames;
}

/** A bigint where a number would not be exact; undefined for what is no address. */
function parseAddress(value: unknown): number | bigint | undefined {
  const digits = typeof value === "string" ? addressPattern.exec(value)?.[1] : undefined;
  if (digits !== undefined && digits.length <= 13) return parseInt(digits, 16);
  if (Number.isSafeInteger(value)) return (value as number) >= 0 ? (value as number) : undefined;
  if (digits === undefined && typeof value !== "bigint" && !Number.isInteger(value)) return undefined;
  const exact = BigInt(digits === undefined ? (value as number) : `0x${digits}`);
  if (exact < 0n || exact > maxAddress) return undefined;
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
}

function difference(ip: number | bigint, base: number | bigint): number | bigint {
  if (typeof ip === "number" && typeof base === "number") return ip - base;
  const exact = BigInt(ip) - BigInt(base);
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
}

/** The modules that frames point into, in the order in which they are first used. */
class UsedModules {
  readonly modules: MemoryMapEntry[] = [];
  readonly filenames: string[] = [];
  readonly #all: unknown[];
  readonly #used = new Map<number, { position: number; base: number | bigint }>();

  constructor(all: unknown[]) {
    this.#all = all;
  }

  /** Its position in `modules` and its base address. */
  use(index: number): { position: number; base: number | bigint } {
    let used = this.#used.get(index);
    if (!used) this.#used.set(index, (used = this.#add(index)));
    return used;
  }

  #add(index: number): { position: number; base: number | bigint } {
    const module = this.#all[index];
    if (!isObject(module)) throw new InvalidJob(`module index ${index} is not an object`, "modules");
    const base = parseAddress(module["base_address"] ?? module["baseAddress"] ?? module["base_addr"]);
    if (base === undefined)
      throw new InvalidJob(`module index ${index} has an invalid base_address`, "modules");
    const debugFilename = module["debug_file"] ?? module["debugFile"];
    const debugId = module["debug_id"] ?? module["debugId"];
    const filename = module["filename"] ?? debugFilename;
    this.filenames.push(typeof filename === "string" ? filename : "");
    const length = this.modules.push([
      isDebugFilename(debugFilename) ? debugFilename : "",
      isDebugId(debugId) ? debugId : "",
    ]);
    return { position: length - 1, base };
  }
}
