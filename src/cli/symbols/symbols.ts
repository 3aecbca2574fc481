import { isDebugFilename, isDebugId } from "../../http/parseJobs.ts";
import type { Module } from "../../symbolication/job.ts";

/** A call in the source. */
export interface SourceLocation {
  function: string;
  file?: string;
  line?: number;
}

/** What is at an offset. */
export interface SymbolicatedOffset {
  /** Innermost call first; never none. */
  locations: SourceLocation[];
  /** Where the outermost function begins, relative to the module. */
  functionStart: number;
}

/** A module and the offsets in it that symbols are wanted of, each once. */
export interface WantedModule {
  module: Module;
  offsets: Set<number>;
}

/** What became of a module. */
export interface ModuleSymbols {
  module: Module;
  /** What it is called in answers: `xul.dll` for `xul.pdb`. */
  name: string;
  /** Why it has no symbols, in words; undefined where it has. */
  failure: string | undefined;
  offsets: Map<number, SymbolicatedOffset>;
}

export function moduleKey({ debugFilename, debugId }: Module): string {
  return `${debugFilename}/${debugId}`;
}

/** Collects what is to be asked for: not what has no module, nor what no symcache could know of. */
export class WantedSymbols {
  readonly modules = new Map<string, WantedModule>();

  add(module: Module | undefined, offset: number | bigint): void {
    if (!module || !canBeAskedFor(module) || offset < 0) return;
    const key = moduleKey(module);
    let wanted = this.modules.get(key);
    if (!wanted) this.modules.set(key, (wanted = { module, offsets: new Set() }));
    if (offset < 2 ** 32) wanted.offsets.add(Number(offset));
  }
}

function canBeAskedFor({ debugFilename, debugId }: Module): boolean {
  return debugFilename !== "" && debugId !== "" && isDebugFilename(debugFilename) && isDebugId(debugId);
}

/** The answer to WantedSymbols. */
export class Symbols {
  readonly #modules: Map<string, ModuleSymbols>;

  constructor(modules: ModuleSymbols[]) {
    this.#modules = new Map(modules.map((symbols) => [moduleKey(symbols.module), symbols]));
  }

  get modules(): ModuleSymbols[] {
    return [...this.#modules.values()];
  }

  /** Undefined where nothing was asked of it. */
  ofModule(module: Module | undefined): ModuleSymbols | undefined {
    return module && this.#modules.get(moduleKey(module));
  }

  /** Undefined where nothing is known. */
  at(module: Module | undefined, offset: number | bigint): SymbolicatedOffset | undefined {
    return this.ofModule(module)?.offsets.get(Number(offset));
  }
}
