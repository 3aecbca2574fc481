import { randomNumbers, type SymFile } from "./symFile.ts";

/** A crash ping's `stack_traces`, and its crashing thread as a v5 job. */
export interface CrashPing {
  ping: object;
  job: object;
}

/** System modules that each ping lists, and that have no symbols. */
const systemModules = 100;

/**
 * Crash pings like Firefox's. The crashing thread has 10 to 60 frames, whose modules are drawn from `symFiles` by Zipf's
 * law. Modules without frames are listed as well.
 */
export function crashPings(symFiles: SymFile[], seed = 11): () => CrashPing {
  const random = randomNumbers(seed);
  const weights = symFiles.map((_, rank) => Math.round(1e6 / (rank + 1)));
  const totalWeight = weights.reduce((total, weight) => total + weight, 0);
  const pick = () => {
    let rest = random(totalWeight);
    return weights.findIndex((weight) => (rest -= weight) < 0);
  };
  const known = symFiles.map(({ debugFilename, debugId }) => [debugFilename, debugId] as const);
  const system = Array.from({ length: systemModules }, (_, index) => {
    const id = index.toString(16).padStart(33, "A").toUpperCase();
    return [`libsystem${index}.so`, id] as const;
  });
  const memoryMap = [...known, ...system];
  const base = (module: number) => 0x7f00_0000_0000 + module * 0x1000_0000;
  const modules = memoryMap.map(([debug_file, debug_id], module) => ({
    base_address: hex(base(module)),
    end_address: hex(base(module) + 0x0fff_0000),
    code_id: debug_id.slice(0, 32).toLowerCase(),
    debug_file,
    debug_id,
    filename: debug_file,
    version: "147.0.0.0",
  }));
  return () => {
    const stack = Array.from({ length: 10 + random(51) }, (): [number, number] => {
      const module = pick();
      return [module, 0x1000 + random((symFiles[module]?.end ?? 0x2000) - 0x1000)];
    });
    const frames = stack.map(([module, offset], frame) => ({
      ip: hex(base(module) + offset),
      module_index: module,
      trust: frame === 0 ? "context" : "cfi",
    }));
    return {
      ping: { crash_thread: 0, crash_type: "SIGSEGV", crash_address: "0x0", modules, threads: [{ frames }] },
      job: { memoryMap, stacks: [stack] },
    };
  };
}

function hex(address: number): string {
  return `0x${address.toString(16).padStart(16, "0")}`;
}
