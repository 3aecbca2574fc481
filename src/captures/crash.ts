import { MemoryMap, type Capture, type Frame, type Location, type Thread } from "./capture.ts";
import {
  crashAddressFrames,
  crashedThread,
  crashReason,
  CrashModules,
  type FrameAddress,
  type StackTraces,
} from "./stackTraces.ts";

/** A crash file that has stack traces in a known place. */
export interface Crash {
  /** Crash ping before Glean. */
  payload?: unknown;
  /** Crash ping of Glean. */
  metrics?: { object?: unknown } | null;
}

export interface CrashFrame extends FrameAddress {
  function?: string | null;
  file?: string | null;
  line?: number | null;
  trust?: string | null;
  inlines?: CrashFrame[] | null;
  /** In place of frames that crash-stats left out. */
  truncated?: { msg?: string } | null;
}

export interface CrashThread {
  thread_name?: string | null;
  frames?: (CrashFrame | null)[] | null;
}

export interface CrashTraces extends StackTraces {
  modules: unknown[];
  threads: CrashThread[];
}

/**
 * Reads a crash ping, crash-stats' processed crash or minidump-stackwalk's JSON, with its threads and frames in the file's
 * order. Undefined for any other file.
 */
export function readCrash(crash: Crash): Capture | undefined {
  const found = findStackTraces(crash);
  return found && readStackTraces(found.format, found.traces);
}

/** Stack traces and where they are: in `owner[key]`, as JSON of their own if that is a string. */
interface FoundTraces {
  format: string;
  traces: CrashTraces;
  owner: Record<string, unknown>;
  key: string;
}

export function findStackTraces(crash: Crash): FoundTraces | undefined {
  const places: [format: string, owner: unknown, key: string][] = [
    ["Crash ping", crash.payload, "stackTraces"],
    ["Crash ping", crash.payload, "stack_traces"],
    ["Crash ping", crash.metrics?.object, "crash.stack_traces"],
    // As BigQuery spells it.
    ["Crash ping", crash.metrics?.object, "crash_stack_traces"],
    ["Crash ping", crash, "crash_stack_traces"],
    ["Crash ping", crash, "stackTraces"],
    ["Crash ping", crash, "stack_traces"],
    ["Processed crash", crash, "json_dump"],
    ["Minidump", { crash }, "crash"],
  ];
  for (const [format, place, key] of places) {
    if (typeof place !== "object" || place === null) continue;
    const owner = place as Record<string, unknown>;
    const value = owner[key];
    const traces: unknown = typeof value === "string" ? JSON.parse(value) : value;
    if (!isStackTraces(traces)) continue;
    // A ping's bare stack traces look like minidump-stackwalk's output otherwise.
    const isPing =
      "crash_thread" in traces ||
      "crashThread" in traces ||
      traces.threads.some(({ frames }) => frames?.some((frame) => frame?.ip != null));
    return { format: isPing ? "Crash ping" : format, traces, owner, key };
  }
  return undefined;
}

function isStackTraces(value: unknown): value is CrashTraces {
  const { modules, threads } = Object(value) as StackTraces;
  return Array.isArray(modules) && Array.isArray(threads);
}

function readStackTraces(format: string, traces: CrashTraces): Capture {
  const modules = new CrashModules(traces.modules);
  const map = new MemoryMap();
  const moduleIndexes = traces.modules.map((_, index) => map.indexOf(modules.at(index)));
  const readFrame = (frame: CrashFrame): Frame => {
    const { index, offset } = modules.locate(frame);
    const known = {
      ...location(frame),
      ...(frame.inlines?.length && { inlines: frame.inlines.map(location) }),
    };
    return {
      moduleIndex: moduleIndexes[index] ?? -1,
      moduleOffset: offset,
      known,
      ...(frame.trust && { trust: frame.trust }),
    };
  };
  const crashed = crashedThread(traces);
  const noneCrashed = crashed === undefined ? "no thread crashed" : undefined;
  const reason = [crashReason(traces), noneCrashed].filter((part) => part !== undefined).join("; ");
  const threads = traces.threads.map(({ thread_name: name }, index): Thread => ({
    name: name ? `Thread ${index}: ${name}` : `Thread ${index}`,
    isCrashed: index === crashed,
    stacks: [{ frames: threadFrames(traces, index).map(readFrame) }],
  }));
  const { memoryMap, moduleNames } = map;
  return { format, ...(reason && { reason }), memoryMap, moduleNames, threads };
}

/** The frames of a thread; a crashed thread without frames has one for the crash address. */
export function threadFrames(traces: CrashTraces, thread: number): CrashFrame[] {
  const frames = traces.threads[thread]?.frames ?? [];
  if (frames.length === 0 && thread === crashedThread(traces)) return crashAddressFrames(traces);
  return frames.map((frame) => frame ?? {});
}

function location({ function: name, file, line, truncated }: CrashFrame): Location {
  const shown = name ?? truncated?.msg;
  return { ...(shown && { function: shown }), ...(file && { file }), ...(line && { line }) };
}
