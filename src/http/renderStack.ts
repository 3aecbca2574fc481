import { symbolicatedFrame, type Locations, type SymbolicatedFrame } from "../symbolication/frames.ts";
import type { SymbolicatedJobs } from "../symbolication/symbolicate.ts";
import { hex } from "./hex.ts";
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
  const { locations, first, last } = frame;
  const start = startOf(number, frame, extra);
  if (locations) {
    json.text(`${start},"function_offset":"${functionOffset(frame)}","function":"`);
    renderLocation(locations, last, json);
    for (let row = first; row < last; row++) {
      json.text(row === first ? `,"inlines":[{"function":"` : `},{"function":"`);
      renderLocation(locations, row, json);
    }
    json.text(first === last ? "}" : "}]}");
  } else json.text(`${start}}`);
  return number + 1;
}

function renderFlat(number: number, frame: SymbolicatedFrame, json: JsonBytes, extra: string): number {
  const { locations, first, last } = frame;
  if (!locations) return renderNested(number, frame, json, extra);
  for (let row = first; row <= last; row++) {
    const start = startOf(number + row - first, frame, extra);
    if (row < last) json.text(`${start},"inlined":true,"function":"`);
    else json.text(`${start},"function_offset":"${functionOffset(frame)}","function":"`);
    renderLocation(locations, row, json);
    json.text("}");
  }
  return number + last - first + 1;
}

function startOf(
  number: number,
  { moduleName = "<unknown>", moduleOffset }: SymbolicatedFrame,
  extra: string,
) {
  return `${number === 0 ? "" : ","}{"frame":${number},"module":${JSON.stringify(moduleName)},"module_offset":"${hex(moduleOffset)}"${extra}`;
}

function functionOffset({ moduleOffset, functionStart }: SymbolicatedFrame): string {
  return hex(Number(moduleOffset) - functionStart);
}

/** All of a location behind the quote that its function begins with. */
function renderLocation(locations: Locations, row: number, json: JsonBytes): void {
  const file = locations.files[row] ?? 0;
  const line = locations.lines[row] ?? 0;
  json.string(locations, locations.functions[row] ?? 0);
  if (file !== 0) {
    json.text(`","file":"`);
    json.string(locations, file);
  }
  json.text(line === 0 ? `"` : `","line":${line}`);
}
