import { MemoryMap, plain } from "./capture.js";

/**
 * @import { Capture, Frame, Location, Thread } from "./capture.js"
 *
 * Numbers are hex strings or JSON integers. Anything may be absent or null.
 * @typedef {string | number | null | undefined} Numeral
 *
 * @typedef {object} CrashModule names of a crash ping's `stack_traces`, of Android's, and of minidump-stackwalk
 * @property {Numeral} [base_address]
 * @property {Numeral} [baseAddress]
 * @property {Numeral} [base_addr]
 * @property {Numeral} [end_address]
 * @property {Numeral} [endAddress]
 * @property {Numeral} [end_addr]
 * @property {string | null} [debug_file]
 * @property {string | null} [debugFile]
 * @property {string | null} [debug_id]
 * @property {string | null} [debugId]
 * @property {string | null} [filename]
 *
 * @typedef {object} CrashFrame
 * @property {Numeral} [ip] absolute
 * @property {Numeral} [offset] absolute too, in minidump-stackwalk's words
 * @property {Numeral} [module_offset] relative to the module
 * @property {number | null} [module_index]
 * @property {number | null} [moduleIndex]
 * @property {string | null} [module] its filename
 * @property {string | null} [function]
 * @property {string | null} [file]
 * @property {number | null} [line]
 * @property {string | null} [trust]
 * @property {CrashFrame[] | null} [inlines]
 * @property {{msg?: string} | null} [truncated] in place of frames that crash-stats left out
 *
 * @typedef {object} CrashThread
 * @property {string | null} [thread_name]
 * @property {CrashFrame[] | null} [frames]
 *
 * @typedef {object} StackTraces
 * @property {CrashModule[]} modules
 * @property {CrashThread[]} threads
 * @property {number | null} [crash_thread]
 * @property {number | null} [crashThread]
 * @property {string | null} [crash_type]
 * @property {string | null} [crashType]
 * @property {Numeral} [crash_address]
 * @property {Numeral} [crashAddress]
 * @property {{crashing_thread?: number | null, type?: string | null, address?: Numeral} | null} [crash_info]
 * @property {{threads_index?: number | null} | null} [crashing_thread]
 *
 * Where the stacks of a crash may be.
 * @typedef {object} Crash
 * @property {{stackTraces?: unknown, stack_traces?: unknown}} [payload] a crash ping
 * @property {unknown} [stackTraces]
 * @property {unknown} [stack_traces]
 * @property {{object?: {"crash.stack_traces"?: unknown}}} [metrics] a crash ping of Glean
 * @property {unknown} [json_dump] crash-stats' processed crash
 */

/**
 * A crash ping, crash-stats' processed crash or minidump-stackwalk's JSON. Undefined where it is none of them.
 * @param {Crash & object} crash
 * @returns {Capture | undefined} threads and frames in the crash's order
 */
export function readCrash(crash) {
  const found = findStackTraces(crash);
  return found && readStackTraces(found.format, found.traces);
}

/**
 * The part of a crash that has its stacks, and where it is: `owner[key]`, in JSON of its own if that is a string.
 * @param {Crash & object} crash
 * @returns {{format: string, traces: StackTraces, owner: Record<string, unknown>, key: string} | undefined}
 */
export function findStackTraces(crash) {
  /** @type {[string, unknown, string][]} */
  const places = [
    ["Crash ping", crash.payload, "stackTraces"],
    ["Crash ping", crash.payload, "stack_traces"],
    ["Crash ping", crash.metrics?.object, "crash.stack_traces"],
    ["Crash ping", crash, "stackTraces"],
    ["Crash ping", crash, "stack_traces"],
    ["Processed crash", crash, "json_dump"],
    ["Minidump", { crash }, "crash"],
  ];
  for (const [format, place, key] of places) {
    if (typeof place !== "object" || place === null) continue;
    const owner = /** @type {Record<string, unknown>} */ (place);
    const value = owner[key];
    const traces = typeof value === "string" ? JSON.parse(value) : value;
    if (!isStackTraces(traces)) continue;
    // A ping's traces by themselves look much like minidump-stackwalk's.
    const isPing = traces.threads.some((thread) => thread.frames?.some((frame) => frame.ip != null));
    return { format: isPing ? "Crash ping" : format, traces, owner, key };
  }
  return undefined;
}

/**
 * @param {unknown} value
 * @returns {value is StackTraces}
 */
function isStackTraces(value) {
  if (typeof value !== "object" || value === null) return false;
  return (
    "modules" in value && Array.isArray(value.modules) && "threads" in value && Array.isArray(value.threads)
  );
}

/**
 * @param {string} format
 * @param {StackTraces} traces
 * @returns {Capture}
 */
function readStackTraces(format, traces) {
  const memoryMap = new MemoryMap();
  const modules = traces.modules.map((module) => ({
    index: memoryMap.indexOf(
      module.debug_file ?? module.debugFile ?? module.filename ?? "",
      module.debug_id ?? module.debugId ?? "",
      module.filename || undefined,
    ),
    filename: module.filename,
    base: integer(module.base_address ?? module.baseAddress ?? module.base_addr),
    end: integer(module.end_address ?? module.endAddress ?? module.end_addr),
  }));
  /** @param {bigint} address */
  const moduleAt = (address) =>
    modules.find(
      ({ base, end }) => base !== undefined && end !== undefined && base <= address && address < end,
    );

  /**
   * @param {CrashFrame} frame
   * @returns {Frame}
   */
  function readFrame(frame) {
    const address = integer(frame.ip ?? frame.offset);
    const position = frame.module_index ?? frame.moduleIndex;
    const module =
      position == null
        ? ((address === undefined ? undefined : moduleAt(address)) ??
          modules.find(({ filename }) => filename != null && filename === frame.module))
        : modules[position];
    const offset =
      integer(frame.module_offset) ??
      (address !== undefined && module?.base !== undefined ? address - module.base : undefined);
    const isInModule = module !== undefined && offset !== undefined && offset >= 0n;
    return {
      moduleIndex: isInModule ? module.index : -1,
      moduleOffset: isInModule ? plain(offset) : plain(address ?? -1n),
      known: {
        ...location(frame),
        ...(frame.inlines?.length ? { inlines: frame.inlines.map(location) } : {}),
      },
      ...(frame.trust ? { trust: frame.trust } : {}),
    };
  }

  const info = traces.crash_info;
  const crashed =
    traces.crash_thread ??
    traces.crashThread ??
    traces.crashing_thread?.threads_index ??
    info?.crashing_thread ??
    0;
  const type = traces.crash_type ?? traces.crashType ?? info?.type;
  const address = traces.crash_address ?? traces.crashAddress ?? info?.address;
  /** @type {Thread[]} */
  const threads = traces.threads.map(({ thread_name: name, frames }, number) => ({
    name: name ? `Thread ${number}: ${name}` : `Thread ${number}`,
    isCrashed: number === crashed,
    stacks: [{ frames: (frames ?? []).map(readFrame) }],
  }));
  return {
    format,
    ...(type ? { reason: address == null ? type : `${type} at ${address}` } : {}),
    ...memoryMap.parts,
    threads,
  };
}

/**
 * @param {CrashFrame} frame
 * @returns {Location}
 */
function location({ function: name, file, line, truncated }) {
  const shown = name ?? truncated?.msg;
  return { ...(shown ? { function: shown } : {}), ...(file ? { file } : {}), ...(line ? { line } : {}) };
}

/**
 * @param {Numeral} numeral
 * @returns {bigint | undefined}
 */
function integer(numeral) {
  if (numeral == null || numeral === "") return undefined;
  return BigInt(numeral);
}
