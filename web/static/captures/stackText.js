import { sourceFile } from "./sourceFile.js";

/**
 * @import { AnsweredFrame } from "./answer.js"
 * @import { Location } from "./capture.js"
 */

/**
 * A stack as text, inlined calls above the function that they were inlined into, and further in:
 *
 *       0    RawVec::grow  library/alloc/src/raw_vec.rs:12  (inlined)
 *          Vec::push  library/alloc/src/vec/mod.rs:34  in rustsample
 * @param {AnsweredFrame[]} stack
 * @returns {string}
 */
export function stackText(stack) {
  return stack.flatMap(frameLines).join("\n");
}

/**
 * @param {AnsweredFrame} frame
 * @returns {string[]}
 */
function frameLines(frame) {
  const nameless = frame.module_offset === "-0x1" ? "<unknown>" : frame.module_offset;
  const calls = [
    ...(frame.inlines ?? []).map((inline) => `  ${place(inline)}  (inlined)`),
    frame.module === "<unknown>" ? place(frame) : `${place(frame)}  in ${frame.module}`,
  ];
  return calls.map(
    (call, depth) => `${depth === 0 ? String(frame.frame).padStart(5) : " ".repeat(5)}  ${call}`,
  );

  /**
   * @param {Location} location
   * @returns {string}
   */
  function place({ function: name = nameless, file, line }) {
    if (file === undefined) return name;
    const { path } = sourceFile(file);
    return `${name}  ${path}${line === undefined ? "" : `:${line}`}`;
  }
}
