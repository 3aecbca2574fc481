import { createHash } from "node:crypto";
import { convert } from "../symbolic/symFile.ts";

/** A module that exists only in tests. All that is found in it bears its name, so that no other's answer passes for it. */
export interface MadeModule {
  name: string;
  id: string;
  /** `name/ID`, as in found_modules. */
  key: string;
  /** Where symbol servers have its sym file. */
  path: string;
  symFile: string;
  /** Offsets to ask for, and the function at each. */
  frames: { offset: number; function: string }[];
}

/** A module of so many functions; some 80 bytes of sym file and of symcache each. */
export function madeModule(name: string, functions = 3): MadeModule {
  const id = `${createHash("sha256").update(name).digest("hex").slice(0, 32).toUpperCase()}0`;
  const records = Array.from({ length: functions }, (_, number) => {
    const start = hex(startOf(number));
    return `FUNC ${start} 10 0 in ${name}::${number}()\n${start} 10 ${number + 1} 0\n`;
  });
  const asked = [...new Set([0, Math.floor(functions / 2), functions - 1])];
  return {
    name,
    id,
    key: `${name}/${id}`,
    path: new URL(`http://symbols/${name}/${id}/${name.replace(/\.pdb$/, "")}.sym`).pathname,
    symFile: `MODULE Linux x86_64 ${id} ${name}\nFILE 0 ${name}.c\n${records.join("")}`,
    frames: asked.map((number) => ({ offset: startOf(number) + 8, function: `in ${name}::${number}()` })),
  };
}

/** The bytes that its symcache file must have. */
export function symcacheOf({ symFile, name, id }: MadeModule): Uint8Array {
  return convert(Buffer.from(symFile), { debugFilename: name, debugId: id }, 1024 * 1024);
}

function startOf(number: number): number {
  return 0x1000 + number * 0x10;
}

function hex(number: number): string {
  return number.toString(16);
}
