import { styleText } from "node:util";
import type { Difference, Fields } from "./differences.ts";

/** Fields of a frame that are always shown; of the rest those that differ. */
const context = ["function", "file", "line"];
/** In the line above. */
const inPlace = new Set(["frame", "module", "module_offset"]);

/**
 * A difference as a person reads it, as `diff` marks the sides:
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
  const pointed = [place.module, place.moduleOffset].filter((part) => part !== undefined).join(" ");
  return [
    pointed === "" ? where : `${where}: ${pointed}`,
    ...sidesText(kinds, sides, place.frame !== undefined),
  ].join("\n");
}

function sidesText(kinds: string[], [left, right]: Difference["sides"], isFrame: boolean): string[] {
  if (!left || !right) {
    const present = left ?? right ?? {};
    const nothing = ["nothing"];
    const something = Object.keys(present)
      .filter((name) => !inPlace.has(name))
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
  const text = lines.map((line) => `  ${mark} ${line}`);
  if (mark === " ") return text;
  return text.map((line) => styleText(mark === "-" ? "red" : "green", line));
}

/** None where the field is absent. */
function rows(name: string, said: Fields): string[] {
  const value = said[name];
  if (value === undefined) return [];
  const values = name === "inlines" && Array.isArray(value) ? value.map(inlineText) : [plain(value)];
  return values.map((text) => `${name.padEnd(8)}  ${text}`);
}

function inlineText(inline: Fields): string {
  const { function: name = "", file, line } = inline;
  const place = file === undefined ? "" : `  ${plain(file)}${line === undefined ? "" : `:${plain(line)}`}`;
  return `${plain(name)}${place}`;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
