import type { ModuleId } from "../identity/moduleId.ts";

/** Size of each function. */
export const functionBytes = 0x20;

/** A sym file of functions with two inlined calls and four lines each, and names as long as C++'s. */
export function syntheticSymFile({ debugFile, debugId }: ModuleId, functions: number): Buffer {
  const path = "hg:hg.mozilla.org/mozilla-central:warm/up.cpp:0123456789ab";
  const records = [`MODULE Linux x86_64 ${debugId} ${debugFile}`, `FILE 0 ${path}`];
  for (let index = 0; index < functions; index++) {
    const name = (scope: string) =>
      `warm::${scope}${index}(nsTArray<unsigned char> const&, mozilla::dom::Promise*)`;
    const [start, call, inner, end] = [0, 4, 8, 0x10].map((at) => (index * functionBytes + at).toString(16));
    records.push(
      `INLINE_ORIGIN ${index} ${name("Inlined")}`,
      `FUNC ${start} ${functionBytes.toString(16)} 0 ${name("Up")}`,
      `INLINE 0 11 0 ${index} ${call} c`,
      `INLINE 1 12 0 ${index} ${inner} 4`,
      `${start} 4 1 0`,
      `${call} 4 2 0`,
      `${inner} 8 3 0`,
      `${end} 10 4 0`,
    );
  }
  return Buffer.from(`${records.join("\n")}\n`);
}
