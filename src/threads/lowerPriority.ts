import { getPriority, platform, setPriority } from "node:os";

/** With the default of 0, the other threads get nine times as much of a contended core. */
const niceness = 10;

/** Lowers the priority of this thread. For threads whose work takes seconds, while others must respond in milliseconds. */
export function lowerPriority(): void {
  // On other systems this would affect the whole process. Raising the priority again may not be permitted.
  if (platform() === "linux" && getPriority() < niceness) setPriority(niceness);
}
