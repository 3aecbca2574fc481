import type { Capture } from "./capture.ts";
import { findStackTraces, threadFrames, type CrashFrame } from "./crash.ts";
import { moduleState, type ModuleOutcome, type SymbolicatedFrame } from "./response.ts";
import { CrashModules, crashedThread } from "./stackTraces.ts";
import type { WriteBack } from "./writeBack.ts";

/** Frames of a crash get the keys that frames of the API have. */
export function writeBackCrash(crash: object, capture: Capture): WriteBack {
  return {
    wanted: capture,
    addSymbols({ frameOf, outcomes }) {
      const found = findStackTraces(crash);
      if (!found) return crash;
      const { traces, owner, key } = found;
      for (const [index, thread] of traces.threads.entries()) {
        const read = capture.threads[index]?.stacks[0]?.frames ?? [];
        const frames = threadFrames(traces, index);
        for (const [position, frame] of frames.entries())
          if (read[position]) addToFrame(frame, frameOf(read[position], position));
        if (!thread.frames?.length && frames.length > 0) thread.frames = frames;
      }
      markModules(traces.modules, outcomes);
      // minidump-stackwalk writes the crashed thread twice, the second time with registers.
      const copies = traces.crashing_thread?.frames;
      if (Array.isArray(copies)) {
        const { frames } = traces.threads[crashedThread(traces) as number] ?? {};
        for (const [index, copy] of copies.entries()) Object.assign(copy as object, frames?.[index]);
      }
      if (typeof owner[key] === "string") owner[key] = JSON.stringify(traces);
      return crash;
    },
  };
}

function addToFrame(frame: CrashFrame, symbolicated: SymbolicatedFrame): void {
  const { frame: _index, trust: _trust, module, module_offset, ...symbols } = symbolicated;
  if (module === "<unknown>") return;
  // Details of an earlier symbolication must not stay next to a new function.
  if (symbols.function_offset !== undefined)
    replace(frame, { file: null, line: null, inlines: null, missing_symbols: false });
  const present = Object.entries(frame).filter(([, value]) => value !== null);
  Object.assign(frame, { module, module_offset }, Object.fromEntries(present), symbols);
}

/** Updates minidump-stackwalk's notes about the symbols of each module. */
function markModules(modules: unknown[], outcomes: ModuleOutcome[]): void {
  const found = new Set<string>();
  for (const outcome of outcomes)
    if (moduleState(outcome) === "found") found.add(`${outcome.debugFilename}/${outcome.debugId}`);
  const read = new CrashModules(modules);
  for (const [index, module] of modules.entries()) {
    const { debugFilename, debugId } = read.at(index);
    if (found.has(`${debugFilename}/${debugId}`))
      replace(module as object, { loaded_symbols: true, missing_symbols: false, corrupt_symbols: false });
  }
}

/** Sets those `values` whose keys the object already has. */
function replace(object: object, values: object): void {
  Object.assign(object, Object.fromEntries(Object.entries(values).filter(([key]) => key in object)));
}
