import type { Module, ModuleAddress } from "./capture.ts";

const debugFilenamePattern = /^(?!\.{1,2}$)[[\]A-Za-z0-9_.+{}@<> ~-]{1,255}$/;
const debugIdPattern = /^[0-9A-Fa-f]{1,64}$/;

/** Whether the service accepts a module. It refuses a whole request for one name or id that it doesn't accept. */
export function isAccepted(debugFilename: string, debugId: string): boolean {
  return debugFilenamePattern.test(debugFilename) && debugIdPattern.test(debugId);
}

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
