import { verdict, type AnsweredFrame, type ModuleOutcome } from "../../../web/static/captures/answer.js";
import type { Capture } from "../../../web/static/captures/capture.js";
import { findStackTraces, type CrashModule } from "../../../web/static/captures/crash.js";
import type { WriteBack } from "./writeBack.ts";

interface Thread {
  frames?: object[] | null;
}

/** A crash ping, a processed crash or minidump-stackwalk's output: frames get the keys that the API's frames have. */
export function writeBackCrash(crash: object, capture: Capture): WriteBack {
  return {
    wanted: capture,
    withSymbols(frameOf, outcomes) {
      const found = findStackTraces(crash);
      if (!found) return crash;
      const threads = found.traces.threads as Thread[];
      for (const [number, thread] of threads.entries()) {
        const known = capture.threads[number]?.stacks[0]?.frames ?? [];
        for (const [position, frame] of (thread.frames ?? []).entries())
          if (known[position]) addSymbols(frame, frameOf(known[position], position));
      }
      addOutcomes(found.traces.modules, outcomes);
      const crashing = found.traces.crashing_thread as ({ threads_index?: number | null } & Thread) | null;
      // minidump-stackwalk has it twice, the second time with registers.
      if (crashing?.frames) copySymbols(crashing.frames, threads[crashing.threads_index ?? -1]?.frames ?? []);
      if (typeof found.owner[found.key] === "string") found.owner[found.key] = JSON.stringify(found.traces);
      return crash;
    },
  };
}

function addSymbols(frame: object, answered: AnsweredFrame): void {
  const { frame: _number, trust: _trust, module, module_offset, ...symbols } = answered;
  if (module === "<unknown>") return;
  // What was known before of another call must not stand beside the function.
  const isNew = symbols.function_offset !== undefined;
  const stale = isNew ? { file: null, line: null, inlines: null, missing_symbols: false } : {};
  replace(frame, stale);
  const present = Object.entries(frame).filter(([, value]) => value !== null);
  Object.assign(frame, { module, module_offset }, Object.fromEntries(present), symbols);
}

/** minidump-stackwalk says of a module whether it had symbols. */
function addOutcomes(modules: CrashModule[], outcomes: ModuleOutcome[]): void {
  const found = new Set(
    outcomes
      .filter((outcome) => verdict(outcome) === "found")
      .map(({ debugFilename, debugId }) => `${debugFilename}/${debugId}`),
  );
  for (const module of modules)
    if (found.has(`${module.debug_file}/${module.debug_id}`))
      replace(module, { loaded_symbols: true, missing_symbols: false, corrupt_symbols: false });
}

/** What an object has of these `values`. */
function replace(object: object, values: object): void {
  Object.assign(object, Object.fromEntries(Object.entries(values).filter(([key]) => key in object)));
}

function copySymbols(copies: object[], frames: object[]): void {
  for (const [position, copy] of copies.entries()) Object.assign(copy, frames[position]);
}
