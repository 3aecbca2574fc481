import type { Module, ModuleAddress } from "./capture.ts";

/** A request of one job. Offsets past 2^53, which JSON.stringify can't write, are exact. */
export function requestText(
  memoryMap: readonly Module[],
  stacks: readonly (readonly ModuleAddress[])[],
): string {
  const stackTexts = stacks.map((stack) => `[${stack.map(frameText).join(",")}]`);
  return `{"memoryMap":${JSON.stringify(memoryMap)},"stacks":[${stackTexts.join(",")}]}`;
}

function frameText({ moduleIndex, moduleOffset }: ModuleAddress): string {
  return `[${moduleIndex},${moduleOffset}]`;
}
