import { symbolicatedFrame, type SymbolicatedFrame } from "../symbolication/frames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import type { JsonBytes } from "./jsonBytes.ts";

/** How frames are written; without all of it as v5 has them. */
export interface FrameStyle {
  /** Calls that were inlined are frames of their own, and the numbers of frames count on. */
  flat?: boolean;
  /** What the client calls the module of the frame at a position of its job. */
  moduleName?: (position: number) => string | undefined;
  /** More keys for that frame: JSON with a comma before it. */
  extra?: (position: number) => string;
}

/** Writes `[frame, …]`: the frames of a job from a position on. Stops when others are due. */
export function* renderStack(
  symbolicated: SymbolicatedJobs,
  job: number,
  stack: { start: number; length: number },
  json: JsonBytes,
  style: FrameStyle = {},
): Generator<void> {
  const render = style.flat ? renderFlat : renderNested;
  let number = 0;
  json.text("[");
  for (let position = stack.start; position < stack.start + stack.length; position++) {
    const frame = symbolicatedFrame(symbolicated, job, position);
    const named = style.moduleName?.(position);
    if (named) frame.moduleName = named;
    number = render(number, frame, json, style.extra?.(position) ?? "");
    if (json.isDue()) yield;
  }
  json.text("]");
}

/** These write what is at one address, and give the number of the next frame. */
function renderNested(number: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): number {
  const { locations, last, end } = frame;
  renderStart(number, frame, json, extra);
  if (locations) {
    renderFunctionOffset(frame, json);
    json.textOf(locations, locations.rowStarts[last] ?? 0, end);
  }
  json.ascii("}");
  return number + 1;
}

function renderFlat(number: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): number {
  const { locations, first, last } = frame;
  if (!locations) return renderNested(number, frame, json, extra);
  for (let row = first; row <= last; row++) {
    renderStart(number + row - first, frame, json, extra);
    if (row < last) json.ascii(`,"inlined":true,`);
    else renderFunctionOffset(frame, json);
    json.textOf(locations, locations.rowStarts[row] ?? 0, locations.rowEnds[row] ?? 0);
    json.ascii("}");
  }
  return number + last - first + 1;
}

function renderStart(number: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): void {
  const { moduleName = "<unknown>", moduleOffset } = frame;
  json.ascii(number === 0 ? `{"frame":` : `,{"frame":`);
  json.integer(number);
  json.ascii(`,"module":`);
  json.string(moduleName);
  json.ascii(`,"module_offset":"`);
  json.hex(moduleOffset);
  json.ascii(`"`);
  if (extra !== "") json.text(extra);
}

/** And the comma behind it. */
function renderFunctionOffset({ moduleOffset, functionStart }: SymbolicatedFrame, json: JsonBytes): void {
  json.ascii(`,"function_offset":"`);
  json.hex(Number(moduleOffset) - functionStart);
  json.ascii(`",`);
}
