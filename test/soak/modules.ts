import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import type { Random } from "../support/scale.ts";

/** The modules that clients ask for. */
export interface Population {
  /** Asked for all the time, so that no eviction comes near them. */
  steady: SyntheticModule[];
  /** The most popular first. */
  usual: SyntheticModule[];
  /** Asked for now and then: each that is converted evicts many others. */
  large: SyntheticModule[];
  /** No source has sym files of these. */
  absent: [debugFilename: string, debugId: string][];
}

/** What the folder may hold: two thirds of all symcaches. What is written at a time leaves room for the steady ones. */
export const folderBytes = 150e6;

/** 200 MB of sym files, which make 226 MB of symcaches. */
export function wholePopulation(): Population {
  return {
    steady: [200, 2_000, 20_000, 20_000, 60_000].map((functions, index) =>
      synthesize(`steady${index}.so`, functions),
    ),
    usual: Array.from({ length: 260 }, (_, index) =>
      synthesize(
        `usual${index}.${index % 3 === 0 ? "pdb" : "so"}`,
        index % 7 === 3 ? 20_000 : 100 + 6 * index,
      ),
    ),
    // That of the last is so large that its converter thread is replaced.
    large: [250_000, 250_000, 250_000, 250_000, 900_000].map((functions, index) =>
      synthesize(`large${index}.so`, functions),
    ),
    absent: Array.from({ length: 40 }, (_, index) => absentModule(index)),
  };
}

export function absentModule(index: number): [string, string] {
  return [`absent${index}.dll`, `${index.toString(16).toUpperCase().padStart(32, "0")}1`];
}

/** Different ones of the usual modules, the n-th with a probability of about 1/n. */
export function pickUsual(count: number, { usual }: Population, random: Random): SyntheticModule[] {
  const picked = Array.from({ length: count }, () => usual[logarithmic(random, usual.length) - 1]);
  return [...new Set(picked)].filter((module) => module !== undefined);
}

/** A whole number from 1 to `end` − 1, of each size alike. */
export function logarithmic(random: Random, end: number): number {
  return Math.floor(end ** (random.below(1e6) / 1e6));
}

function synthesize(name: string, functions: number): SyntheticModule {
  return syntheticModule(name, functions, { inlines: true });
}
