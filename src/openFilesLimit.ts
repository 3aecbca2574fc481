import { readFile } from "node:fs/promises";

/** How many files and connections the process may have open at a time; Infinity where the system doesn't say. */
export async function openFilesLimit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}
