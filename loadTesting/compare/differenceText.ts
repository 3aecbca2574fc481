import { styleText } from "node:util";
import type { Difference, Fields } from "./differences.ts";

/** Frame fields that are always shown; other fields are shown only if they differ. */
const context = ["function", "file", "line"];
/** Shown in the heading. */
const inHeading = new Set(["frame", "module", "module_offset"]);

/**
 * Formats a difference in the style of `diff`:
 *
 *     requests.ndjson:3, job 0, stack 1, frame 4: libxul.so 0x1c3f
 *         function  mozilla::dom::Foo()
 *       - line      12
 *       + line      13
 *       + inlines   Bar()  b.cpp:12
 */
export function differenceText(request: string, { kinds, sides, ...place }: Difference): string {
  const levels = (["job", "stack", "frame"] as const).filter((level) => place[level] !== undefined);
  const where = [request, ...levels.map((level) => `${level} ${place[level]}`)].join(", ");
  const module = [place.module, place.moduleOffset].filter((part) => part !== undefined).join(" ");
  return [
    module === "" ? where : `${where}: ${module}`,
    ...sidesText(kinds, sides, place.frame !== undefined),
  ].join("\n");
}

function sidesText(kinds: string[], [left, right]: Difference["sides"], isFrame: boolean): string[] {
  if (!left || !right) {
    const present = left ?? right ?? {};
    const nothing = ["nothing"];
    const something = Object.keys(present)
      .filter((name) => !inHeading.has(name))
      .flatMap((name) => rows(name, present));
    return left
      ? [...marked("-", something), ...marked("+", nothing)]
      : [...marked("-", nothing), ...marked("+", something)];
  }
  const names = new Set(isFrame ? [...context, ...kinds] : [...Object.keys(left), ...Object.keys(right)]);
  return [...names].flatMap((name) =>
    !isFrame || kinds.includes(name)
      ? [...marked("-", rows(name, left)), ...marked("+", rows(name, right))]
      : marked(" ", rows(name, left)),
  );
}

function marked(mark: " " | "-" | "+", lines: string[]): string[] {
  const markedLines = lines.map((line) => `  ${mark} ${line}`);
  if (mark === " ") return markedLines;
  return markedLines.map((line) => styleText(mark === "-" ? "red" : "green", line));
}

/** Empty if the field is absent. */
function rows(name: string, fields: Fields): string[] {
  const value = fields[name];
  if (value === undefined) return [];
  const values = name === "inlines" && Array.isArray(value) ? value.map(inlineText) : [text(value)];
  return values.map((row) => `${name.padEnd(8)}  ${row}`);
}

function inlineText(inline: Fields): string {
  const { function: name = "", file, line } = inline;
  const place = file === undefined ? "" : `  ${text(file)}${line === undefined ? "" : `:${text(line)}`}`;
  return `${text(name)}${place}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
