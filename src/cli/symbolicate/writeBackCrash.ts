import type { AnsweredFrame } from "../../../web/static/captures/answer.js";
import type { Capture } from "../../../web/static/captures/capture.js";
import { findStackTraces } from "../../../web/static/captures/crash.js";
import type { WriteBack } from "./writeBack.ts";

interface Thread {
  frames?: object[] | null;
}

/** A crash ping, a processed crash or minidump-stackwalk's output: frames get the keys that the API's frames have. */
export function writeBackCrash(crash: object, capture: Capture): WriteBack {
  return {
    wanted: capture,
    withSymbols(frameOf) {
      const found = findStackTraces(crash);
      if (!found) return crash;
      const threads = found.traces.threads as Thread[];
      for (const [number, thread] of threads.entries()) {
        const known = capture.threads[number]?.stacks[0]?.frames ?? [];
        for (const [position, frame] of (thread.frames ?? []).entries())
          if (known[position]) addSymbols(frame, frameOf(known[position], position));
      }
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
  const present = Object.entries(frame).filter(([, value]) => value !== null);
  const replaced = Object.entries(stale).filter(([key]) => key in frame);
  Object.assign(frame, { module, module_offset }, Object.fromEntries([...present, ...replaced]), symbols);
}

function copySymbols(copies: object[], frames: object[]): void {
  for (const [position, copy] of copies.entries()) Object.assign(copy, frames[position]);
}
