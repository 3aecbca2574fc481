import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";

/** The memory that the process may take before the kernel kills it. */
export interface MemoryLimit {
  bytes: number;
  /** What sets it: `/sys/fs/cgroup/memory.max`, or `the machine's memory`. */
  source: string;
}

/** cgroup v2. The kernel slows a process down at `memory.high`, and kills it at `memory.max`. */
const unified = { mount: "sys/fs/cgroup", files: ["memory.max", "memory.high"] };
/** cgroup v1, also beside v2. Its value for no limit is larger than any machine's memory. */
const legacy = { mount: "sys/fs/cgroup/memory", files: ["memory.limit_in_bytes"] };

/** The lowest limit of the process's cgroup, of the cgroups around it, and of the machine. `root`: of the file system. */
export function readMemoryLimit(root = "/", machineBytes = totalmem()): MemoryLimit {
  let lowest = { bytes: machineBytes, source: "the machine's memory" };
  // `0::/pod/container` in v2, `4:memory:/pod/container` in v1
  for (const line of readText(join(root, "proc/self/cgroup")).split("\n")) {
    const [, controllers = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isLegacy = controllers.split(",").includes("memory");
    if (path === undefined || (!isLegacy && controllers !== "")) continue;
    const { mount, files } = isLegacy ? legacy : unified;
    for (const folder of withParents(path))
      for (const file of files) {
        const source = join(root, mount, folder, file);
        const text = readText(source).trim();
        if (/^\d+$/.test(text) && Number(text) < lowest.bytes) lowest = { bytes: Number(text), source };
      }
  }
  return lowest;
}

/** `/a/b`, `/a` and `/`. A container may see only the last of them. */
function withParents(path: string): string[] {
  const names = path.split("/").filter((name) => !["", ".", ".."].includes(name));
  return Array.from({ length: names.length + 1 }, (_, i) => names.slice(0, names.length - i).join("/"));
}

/** Empty if the file doesn't exist or can't be read. */
function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
