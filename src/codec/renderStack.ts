import { symbolicatedFrame, type SymbolicatedFrame } from "../symbolication/frames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { JsonBytes } from "./jsonBytes.ts";

/** How frames differ from those of v5. */
export interface FrameStyle {
  /** Whether inline calls are frames of their own, numbered like the others. */
  flat?: boolean;
  /** The client's own name for the module of the frame at a position of the job. */
  moduleName?: (position: number) => string | undefined;
  /** More JSON keys for that frame, after a comma. */
  extra?: (position: number) => string;
}

/** Writes `[frame, …]` for one stack. Yields regularly so that other requests can run. */
export function* renderStack(
  symbolicated: SymbolicatedJobs,
  job: number,
  stack: { start: number; length: number },
  json: JsonBytes,
  style: FrameStyle = {},
): Generator<void> {
  const render = style.flat ? renderFlat : renderNested;
  let index = 0;
  json.text("[");
  for (let position = stack.start; position < stack.start + stack.length; position++) {
    const frame = symbolicatedFrame(symbolicated, job, position);
    const named = style.moduleName?.(position);
    if (named) frame.moduleName = named;
    index = render(index, frame, json, style.extra?.(position) ?? "");
    if (json.shouldYield()) yield;
  }
  json.text("]");
}

/** Writes one frame and its inline calls; returns the index of the next frame. */
function renderNested(index: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): number {
  const { locations, last, end } = frame;
  renderStart(index, frame, json, extra);
  if (locations) {
    renderFunctionOffsetAndComma(frame, json);
    json.locationText(locations, locations.rowStarts[last] ?? 0, end);
  }
  json.ascii("}");
  return index + 1;
}

function renderFlat(index: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): number {
  const { locations, first, last } = frame;
  if (!locations) return renderNested(index, frame, json, extra);
  for (let row = first; row <= last; row++) {
    renderStart(index + row - first, frame, json, extra);
    if (row < last) json.ascii(`,"inlined":true,`);
    else renderFunctionOffsetAndComma(frame, json);
    json.locationText(locations, locations.rowStarts[row] ?? 0, locations.rowEnds[row] ?? 0);
    json.ascii("}");
  }
  return index + last - first + 1;
}

function renderStart(index: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): void {
  const { moduleName = "<unknown>", moduleOffset } = frame;
  json.ascii(index === 0 ? `{"frame":` : `,{"frame":`);
  json.integer(index);
  json.ascii(`,"module":`);
  json.string(moduleName);
  json.ascii(`,"module_offset":"`);
  json.hex(moduleOffset);
  json.ascii(`"`);
  if (extra !== "") json.text(extra);
}

function renderFunctionOffsetAndComma(
  { moduleOffset, functionStart }: SymbolicatedFrame,
  json: JsonBytes,
): void {
  json.ascii(`,"function_offset":"`);
  json.hex(Number(moduleOffset) - functionStart);
  json.ascii(`",`);
}
