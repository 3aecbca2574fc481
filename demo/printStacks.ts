interface Location {
  function?: string;
  file?: string;
  line?: number;
}

/** A result of /symbolicate/v5. */
export interface V5Result {
  stacks: (Location & { frame: number; module: string; module_offset: string; inlines?: Location[] })[][];
  found_modules: Record<string, boolean | null>;
}

/**
 * A result as text, inlined calls above the function that they were inlined into:
 *
 *     stack 0
 *         0  RawVec::grow  raw_vec.rs:12  (inlined)
 *            Vec::push  vec.rs:34  in rustsample
 */
export function printStacks({ stacks, found_modules }: V5Result): string {
  const lines = stacks.flatMap((stack, number) => [
    `stack ${number}`,
    ...stack.flatMap(({ frame, module, module_offset, inlines = [], ...outermost }) => [
      ...inlines.map(
        (inline, depth) =>
          `${depth === 0 ? label(frame) : label()}${place(inline, module_offset)}  (inlined)`,
      ),
      `${inlines.length === 0 ? label(frame) : label()}${place(outermost, module_offset)}  in ${module}`,
    ]),
    "",
  ]);
  const modules = Object.entries(found_modules).map(
    ([module, found]) => `  ${found ? "found" : found === null ? "not asked for" : "no symbols"}  ${module}`,
  );
  return [...lines, "modules", ...modules].join("\n");
}

function label(frame?: number): string {
  return `  ${String(frame ?? "").padStart(3)}  `;
}

function place({ function: name, file, line }: Location, moduleOffset: string): string {
  if (name === undefined) return moduleOffset;
  return file === undefined ? name : `${name}  ${file}${line === undefined ? "" : `:${line}`}`;
}
