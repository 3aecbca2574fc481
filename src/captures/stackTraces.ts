import { difference, parseInteger, type Integer } from "./integer.ts";
import { identifyModule, type NamedModule } from "./module.ts";

/**
 * Stack traces of a crash in all spellings: crash pings, their camelCase form on Android, pings before 2024 and
 * minidump-stackwalk's JSON. Nothing is checked yet: any value may be missing, null or of another type.
 *
 *     {"crash_thread": 0,
 *      "modules": [{"base_address": "0x7f0000000000", "debug_file": "libxul.so", "debug_id": "1410…", "filename": "libxul.so"}],
 *      "threads": [{"frames": [{"ip": "0x7f0000001000", "module_index": 0, "trust": "context"}]}]}
 */
export interface StackTraces {
  modules?: unknown;
  threads?: unknown;
  crash_thread?: unknown;
  crashThread?: unknown;
  crash_type?: unknown;
  crashType?: unknown;
  crash_address?: unknown;
  crashAddress?: unknown;
  crash_info?: { crashing_thread?: unknown; type?: unknown; address?: unknown } | null;
  /** The index was called `thread_index` in old versions of minidump-stackwalk. */
  crashing_thread?: { threads_index?: unknown; thread_index?: unknown; frames?: unknown } | null;
}

interface StackTracesModule {
  base_address?: unknown;
  baseAddress?: unknown;
  base_addr?: unknown;
  end_address?: unknown;
  endAddress?: unknown;
  end_addr?: unknown;
  debug_file?: unknown;
  debugFile?: unknown;
  debug_id?: unknown;
  debugId?: unknown;
  filename?: unknown;
}

/** The address of a frame: `ip` and `module_index` in pings, the others in minidump-stackwalk's JSON. */
export interface FrameAddress {
  ip?: unknown;
  module_index?: unknown;
  moduleIndex?: unknown;
  /** Absolute, in spite of its name. */
  offset?: unknown;
  module_offset?: unknown;
  /** The module's filename. */
  module?: unknown;
}

/** The index of the crashed thread as the file has it; 0 if it has none. */
export function crashedThread(traces: StackTraces): unknown {
  return (
    traces.crash_thread ??
    traces.crashThread ??
    traces.crashing_thread?.threads_index ??
    traces.crashing_thread?.thread_index ??
    traces.crash_info?.crashing_thread ??
    0
  );
}

/** `SIGSEGV at 0x0` */
export function crashReason(traces: StackTraces): string | undefined {
  const type = traces.crash_type ?? traces.crashType ?? traces.crash_info?.type;
  const address = traces.crash_address ?? traces.crashAddress ?? traces.crash_info?.address;
  if (typeof type !== "string" || type === "") return undefined;
  return typeof address === "string" || typeof address === "number" ? `${type} at ${address}` : type;
}

export interface CrashModule extends NamedModule {
  base: Integer | undefined;
  end: Integer | undefined;
  fault: string | undefined;
}

/** Where a frame points. */
export interface Place {
  /** Index in the file's list of modules; −1 without a module. */
  index: number;
  /** Relative to the module, or the absolute address without one; −1 if it is unknown. */
  offset: Integer;
  /** Why the address, or the module with `moduleIndex`, could not be used. */
  fault: { text: string; moduleIndex?: number } | undefined;
}

/** The modules of a crash. Each is read on first use: a ping lists a hundred, and its frames point into a few. */
export class CrashModules {
  readonly #list: readonly unknown[];
  readonly #known: CrashModule[] = [];

  constructor(list: readonly unknown[]) {
    this.#list = list;
  }

  at(index: number): CrashModule {
    return (this.#known[index] ??= readModule(this.#list[index]));
  }

  locate(frame: FrameAddress): Place {
    const address = parseInteger(frame.ip ?? frame.offset);
    const unlocated = (fault?: Place["fault"]): Place => ({ index: -1, offset: address ?? -1, fault });
    // Frames of pings have no index where they have no module.
    const given =
      frame.module_index ?? frame.moduleIndex ?? (frame.ip == null ? this.#find(address, frame) : -1);
    if (!Number.isInteger(given)) return unlocated({ text: "has an invalid module_index" });
    const index = given as number;
    if (index < -1 || index >= this.#list.length)
      return unlocated({ text: "has a module_index that isn't in modules" });
    let offset = parseInteger(frame.module_offset);
    if (offset === undefined && address === undefined) return unlocated({ text: "has an invalid ip" });
    if (index < 0) return unlocated();
    const { base, fault } = this.at(index);
    if (offset === undefined) {
      if (address === undefined || base === undefined)
        return unlocated({ text: fault ?? "has an invalid base_address", moduleIndex: index });
      offset = difference(address, base);
    }
    if (offset < 0) return unlocated({ text: "has an ip below the base_address of its module" });
    return { index, offset, fault: undefined };
  }

  /** The module that contains an address, or has the frame's filename; −1 for none. */
  #find(address: Integer | undefined, { module: filename }: FrameAddress): number {
    const modules = this.#list.map((_, index) => this.at(index));
    const containing = modules.findIndex(
      ({ base, end }) =>
        address !== undefined && base !== undefined && end !== undefined && base <= address && address < end,
    );
    if (containing >= 0 || filename == null) return containing;
    return modules.findIndex((module) => module.filename === filename);
  }
}

function readModule(value: unknown): CrashModule {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const module: StackTracesModule = isObject ? value : {};
  const base = module.base_address ?? module.baseAddress ?? module.base_addr;
  const baseAddress = parseInteger(base);
  const isUnreadable = baseAddress === undefined && base != null && base !== "";
  return {
    ...identifyModule({
      debugFile: module.debug_file ?? module.debugFile,
      debugId: module.debug_id ?? module.debugId,
      filename: module.filename,
    }),
    base: baseAddress,
    end: parseInteger(module.end_address ?? module.endAddress ?? module.end_addr),
    fault: isObject ? (isUnreadable ? "has an invalid base_address" : undefined) : "is not an object",
  };
}
