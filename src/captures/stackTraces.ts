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
  code_id?: unknown;
  codeId?: unknown;
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
  trust?: unknown;
}

/**
 * The index of the crashed thread as the file has it. Undefined if the file says that no thread crashed; 0 if it says nothing,
 * as some pings do.
 */
export function crashedThread(traces: StackTraces): unknown {
  const index =
    traces.crash_thread ??
    traces.crashThread ??
    traces.crashing_thread?.threads_index ??
    traces.crashing_thread?.thread_index ??
    traces.crash_info?.crashing_thread;
  if (index != null) return index;
  const keys = ["crash_thread", "crashThread", "crashing_thread", "crash_info"];
  return keys.some((key) => key in traces) ? undefined : 0;
}

/** `SIGSEGV at 0x0` */
export function crashReason(traces: StackTraces): string | undefined {
  const type = traces.crash_type ?? traces.crashType ?? traces.crash_info?.type;
  const address = crashAddress(traces);
  if (typeof type !== "string" || type === "") return undefined;
  return typeof address === "string" || typeof address === "number" ? `${type} at ${address}` : type;
}

/** The frames of a crashed thread whose stack is missing: one for the crash address, if that is known. */
export function crashAddressFrames(traces: StackTraces): (FrameAddress & { trust: string })[] {
  const address = crashAddress(traces);
  if (parseInteger(address) === undefined) return [];
  return [{ [traces.crash_info ? "offset" : "ip"]: address, trust: crashAddressTrust }];
}

const crashAddressTrust = "crash_address";

function crashAddress(traces: StackTraces): unknown {
  return traces.crash_address ?? traces.crashAddress ?? traces.crash_info?.address;
}

export interface CrashModule extends NamedModule {
  base: Integer | undefined;
  end: Integer | undefined;
}

/** Where a frame points. */
export interface Place {
  /** Index in the file's list of modules; −1 without a module. */
  index: number;
  /** Relative to the module, or the absolute address without one; −1 if it is unknown. */
  offset: Integer;
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

  /** A frame whose module can't be used is a frame without a module. */
  locate(frame: FrameAddress): Place {
    const address = parseInteger(frame.ip ?? frame.offset);
    const withoutModule = { index: -1, offset: address ?? -1 };
    const index = this.#indexOf(frame, address);
    if (index === undefined) return withoutModule;
    const offset = parseInteger(frame.module_offset);
    if (offset !== undefined) return { index, offset };
    const { base } = this.at(index);
    if (base === undefined) return withoutModule;
    if (address === undefined) return { index, offset: -1 };
    return address < base ? withoutModule : { index, offset: difference(address, base) };
  }

  #indexOf(frame: FrameAddress, address: Integer | undefined): number | undefined {
    // Frames of pings have no index if they have no module.
    const isIndexed = frame.ip != null && frame.trust !== crashAddressTrust;
    const index = frame.module_index ?? frame.moduleIndex ?? (isIndexed ? -1 : this.#find(address, frame));
    return typeof index === "number" && index in this.#list ? index : undefined;
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
  return {
    ...identifyModule({
      debugFile: module.debug_file ?? module.debugFile,
      debugId: module.debug_id ?? module.debugId,
      filename: module.filename,
      codeId: module.code_id ?? module.codeId,
    }),
    base: parseInteger(module.base_address ?? module.baseAddress ?? module.base_addr),
    end: parseInteger(module.end_address ?? module.endAddress ?? module.end_addr),
  };
}
