import type { Location } from "./capture.ts";
import type { SymbolicatedFrame } from "./response.ts";
import { printableLine } from "./printable.ts";
import { sourceFile } from "./sourceFile.ts";

/**
 * A stack as text, with inlined calls indented above the function that they were inlined into:
 *
 *       0    RawVec::grow  library/alloc/src/raw_vec.rs:12  (inlined)
 *          Vec::push  library/alloc/src/vec/mod.rs:34  in rustsample
 */
export function stackText(stack: readonly SymbolicatedFrame[]): string {
  return stack.flatMap(frameLines).join("\n");
}

function frameLines(frame: SymbolicatedFrame): string[] {
  const nameless = frame.module_offset === "-0x1" ? "<unknown>" : frame.module_offset;
  const callText = ({ function: name = nameless, file, line }: Location) => {
    if (file === undefined) return name;
    return `${name}  ${sourceFile(file).path}${line === undefined ? "" : `:${line}`}`;
  };
  const calls = [
    ...(frame.inlines ?? []).map((inline) => `  ${callText(inline)}  (inlined)`),
    frame.module === "<unknown>" ? callText(frame) : `${callText(frame)}  in ${frame.module}`,
  ];
  return calls.map(
    (call, depth) =>
      `${depth === 0 ? String(frame.frame).padStart(5) : " ".repeat(5)}  ${printableLine(call)}`,
  );
}
