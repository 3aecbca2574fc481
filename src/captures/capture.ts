import type { Integer } from "./integer.ts";
import type { NamedModule } from "./module.ts";

/** A module as a request's memory map lists it. */
export type Module = [debugFilename: string, debugId: string];

export interface Location {
  function?: string;
  file?: string;
  line?: number;
}

export interface ModuleAddress {
  /** Index in the memory map, −1 for none. */
  moduleIndex: number;
  /** Relative to the module, or an absolute address without one. −1 for neither, as in JavaScript frames. */
  moduleOffset: Integer;
}

export interface Frame extends ModuleAddress {
  /** What the file itself says about the frame; inlines innermost first. */
  known: Location & { inlines?: Location[] };
  /** How the stack walker found the frame: `context`, `cfi`, `scan`, … */
  trust?: string;
}

export interface Stack {
  /** Innermost first. */
  readonly frames: readonly Frame[];
  /** Number of profiler samples that have this stack. */
  samples?: number;
}

export interface Thread {
  name: string;
  isCrashed: boolean;
  /** Most frequently sampled first. */
  stacks: Stack[];
}

/** The stacks and modules of a profile or a crash, independent of its format. */
export interface Capture<Threads extends Iterable<Thread> = Thread[]> {
  /** For people: `Firefox profile`, `Crash ping`. */
  format: string;
  /** Why the process crashed. */
  reason?: string;
  memoryMap: Module[];
  /** The file's own name of each module, such as `xul.dll` for `xul.pdb`. */
  moduleNames: (string | undefined)[];
  threads: Threads;
}

/** A capture whose threads may be read from the file each time they are iterated. */
export type CaptureOfAnySize = Capture<Iterable<Thread>>;

/** Collects distinct modules. */
export class MemoryMap {
  readonly #indexes = new Map<string, number>();
  readonly memoryMap: Module[] = [];
  readonly moduleNames: (string | undefined)[] = [];

  /** The index of a module, which is added if it is new. */
  indexOf({ debugFilename, debugId, filename }: Omit<NamedModule, "key">): number {
    const key = `${debugFilename}/${debugId}`;
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.memoryMap.push([debugFilename, debugId]) - 1;
      this.#indexes.set(key, index);
      this.moduleNames.push(filename || undefined);
    }
    return index;
  }
}

/** Throws a TypeError that names the first missing key. */
export function requireKeys(owner: string, object: object | null | undefined, keys: string[]): void {
  const present = new Map<string, unknown>(Object.entries(object ?? {}));
  for (const key of keys) if (present.get(key) == null) throw new TypeError(`${owner} has no ${key}`);
}
