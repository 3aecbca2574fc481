import { stringOf, type Locations } from "../../symbolic/locations.ts";
import type { SymbolicatedOffset } from "./symbols.ts";

/** Makes objects of the columns that a lookup gives: what is at the offset of each number. */
export function* symbolicatedOffsets(locations: Locations): Generator<SymbolicatedOffset | undefined> {
  const strings = new Map<number, string>();
  const string = (number: number) => {
    let text = strings.get(number);
    if (text === undefined) strings.set(number, (text = stringOf(locations, number)));
    return text;
  };
  const { starts, functions, files, lines, functionStarts } = locations;
  for (let offset = 0; offset + 1 < starts.length; offset++) {
    const [first = 0, end = 0] = [starts[offset], starts[offset + 1]];
    const calls = Array.from({ length: end - first }, (_, call) => {
      const row = first + call;
      const [file = 0, line = 0] = [files[row], lines[row]];
      return {
        function: string(functions[row] ?? 0),
        ...(file !== 0 && { file: string(file) }),
        ...(line !== 0 && { line }),
      };
    });
    yield calls.length === 0
      ? undefined
      : { locations: calls, functionStart: functionStarts[offset] ?? 0 };
  }
}
