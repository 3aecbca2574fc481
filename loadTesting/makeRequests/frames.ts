import type { SampledModule } from "./modules.ts";
import type { Random } from "./random.ts";

type Module = [debugFilename: string, debugId: string];
export type Frame = [moduleIndex: number, moduleOffset: number];

export interface Job {
  memoryMap: Module[];
  stacks: Frame[][];
  version: 5;
}

/** System libraries and drivers, without symbols in Firefox's folders. */
const foreignModules = [
  "ntdll.pdb",
  "kernelbase.pdb",
  "nvwgf2umx.pdb",
  "libc.so.6",
  "libsystem_c.dylib",
  "iris_dri.so",
];

/** Of all frames. */
const shares = { heaviest: 0.65, foreign: 0.03, noModule: 0.01, outside: 0.03 };
/** Distinct call offsets per function. */
const callSites = 8;

export class FrameGenerator {
  readonly memoryMap: Module[];
  readonly #random: Random;
  readonly #modules: SampledModule[];
  readonly #foreignOffsets: number[];

  /** `modules`: most functions first. Adds some modules without symbols. */
  constructor(modules: SampledModule[], random: Random) {
    this.#random = random;
    this.#modules = modules;
    const others = random.shuffle(foreignModules).slice(0, 1 + random.below(foreignModules.length));
    this.#foreignOffsets = Array.from({ length: 64 }, () => random.below(2 ** 24));
    this.memoryMap = [
      ...modules.map(({ debugFile, debugId }): Module => [debugFile, debugId]),
      ...others.map((name): Module => [name, `${hexDigits(random, 32)}1`]),
    ];
  }

  /** Frames repeat, as in real stacks. */
  next(): Frame {
    const random = this.#random;
    const [heaviest, ...others] = this.#modules;
    let kind = random.share();
    if ((kind -= shares.noModule) < 0) return [-1, random.below(2 ** 46)];
    if ((kind -= shares.foreign) < 0) {
      const index = this.#modules.length + random.below(this.memoryMap.length - this.#modules.length);
      return [index, random.pickSkewed(this.#foreignOffsets)];
    }
    const module = kind < shares.heaviest || others.length === 0 ? heaviest : random.pickSkewed(others);
    return [this.#modules.indexOf(module as SampledModule), this.#offset(module as SampledModule)];
  }

  #offset({ functions, end }: SampledModule): number {
    const random = this.#random;
    if (random.share() < shares.outside) return end + random.below(2 ** 16);
    const { address, size } = random.pickSkewed(functions);
    return address + Math.floor((size * random.below(callSites)) / callSites);
  }
}

function hexDigits(random: Random, digits: number): string {
  return Array.from({ length: digits }, () => random.below(16).toString(16).toUpperCase()).join("");
}
