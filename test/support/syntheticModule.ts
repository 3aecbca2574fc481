import { createHash } from "node:crypto";
import { moduleId } from "../../src/identity/moduleId.ts";
import { convert } from "./symFile.ts";

/** Of each function. */
export const functionBytes = 0x10;
/** The line that inlined calls are made from. */
const callLine = 7;

/** A module that exists only in tests. All that is found in it bears its name, so that no other's answer passes for it. */
export interface SyntheticModule {
  name: string;
  id: string;
  /** `name/ID`, as in found_modules. */
  key: string;
  /** Where symbol servers have its sym file. */
  path: string;
  symFile: string;
  /** How many functions it has; each takes 16 bytes. */
  functions: number;
  /** Offsets to ask for, and the function at each. */
  frames: { offset: number; function: string }[];
}

/**
 * A module of so many functions; some 80 bytes of sym file and of symcache each. With `inlines`, a call is inlined in the
 * first half of every second function.
 */
export function syntheticModule(name: string, functions = 3, { inlines = false } = {}): SyntheticModule {
  const id = `${createHash("sha256").update(name).digest("hex").slice(0, 32).toUpperCase()}0`;
  const records = Array.from({ length: functions }, (_, number) => {
    const start = hex(startOf(number));
    const inlined = inlines && number % 2 === 1 ? `INLINE 0 ${callLine} 0 0 ${start} 8\n` : "";
    return `FUNC ${start} 10 0 in ${name}::${number}()\n${inlined}${start} 10 ${number + 1} 0\n`;
  });
  const origins = inlines ? `INLINE_ORIGIN 0 inlined in ${name}\n` : "";
  const asked = [...new Set([0, Math.floor(functions / 2), functions - 1])];
  return {
    name,
    id,
    key: `${name}/${id}`,
    path: new URL(`http://symbols/${name}/${id}/${name.replace(/\.pdb$/i, "")}.sym`).pathname,
    symFile: `MODULE Linux x86_64 ${id} ${name}\nFILE 0 ${name}.c\n${origins}${records.join("")}`,
    functions,
    frames: asked.map((number) => ({ offset: startOf(number) + 8, function: `in ${name}::${number}()` })),
  };
}

interface Location {
  function_offset: string;
  function: string;
  file: string;
  line: number;
  inlines?: { function: string; file: string; line: number }[];
}

/** What v5 must say of an offset into a function of a module with inlines, beside the module and the offset. */
export function locationIn({ name }: SyntheticModule, offset: number): Location {
  const number = Math.floor((offset - startOf(0)) / functionBytes);
  const functionOffset = offset - startOf(number);
  const file = `${name}.c`;
  const own = { function_offset: `0x${hex(functionOffset)}`, function: `in ${name}::${number}()`, file };
  if (number % 2 === 0 || functionOffset >= 8) return { ...own, line: number + 1 };
  return { ...own, line: callLine, inlines: [{ function: `inlined in ${name}`, file, line: number + 1 }] };
}

const symcaches = new WeakMap<SyntheticModule, Uint8Array>();

/** The bytes of its symcache file, from a conversion in this process. */
export function symcacheOf(module: SyntheticModule): Uint8Array {
  let symcache = symcaches.get(module);
  if (!symcache) {
    const { symFile, name, id } = module;
    symcache = convert(Buffer.from(symFile), moduleId(name, id), 1024 * 1024);
    symcaches.set(module, symcache);
  }
  return symcache;
}

/** The offset of a function by its number. */
export function startOf(number: number): number {
  return 0x1000 + number * functionBytes;
}

function hex(number: number): string {
  return number.toString(16);
}
