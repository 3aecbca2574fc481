import type { ModuleId } from "../identity/moduleId.ts";

/** How many bytes of a module each function of a made sym file takes. */
export const functionBytes = 0x20;

/** The sym file of a made module: functions with inlined calls, line records around them, and names as long as C++'s. */
export function madeSymFile({ debugFile, debugId }: ModuleId, functions: number): Buffer {
  const path = "hg:hg.mozilla.org/mozilla-central:warm/up.cpp:0123456789ab";
  const records = [`MODULE Linux x86_64 ${debugId} ${debugFile}`, `FILE 0 ${path}`];
  for (let number = 0; number < functions; number++) {
    const name = (scope: string) =>
      `warm::${scope}${number}(nsTArray<unsigned char> const&, mozilla::dom::Promise*)`;
    const [start, call, inner, end] = [0, 4, 8, 0x10].map((at) => hex(number * functionBytes + at));
    records.push(
      `INLINE_ORIGIN ${number} ${name("Inlined")}`,
      `FUNC ${start} ${hex(functionBytes)} 0 ${name("Up")}`,
      `INLINE 0 11 0 ${number} ${call} c`,
      `INLINE 1 12 0 ${number} ${inner} 4`,
      `${start} 4 1 0`,
      `${call} 4 2 0`,
      `${inner} 8 3 0`,
      `${end} 10 4 0`,
    );
  }
  return Buffer.from(`${records.join("\n")}\n`);
}

function hex(number: number): string {
  return number.toString(16);
}
