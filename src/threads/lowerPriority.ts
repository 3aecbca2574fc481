import { getPriority, platform, setPriority } from "node:os";

/** A thread of ordinary niceness gets nine times as much of a core that both want. */
const niceness = 10;

/**
 * Lets other threads go first where cores are short: for threads of work that takes seconds, beside which the rest of the
 * service must answer in milliseconds.
 */
export function giveWay(): void {
  // Elsewhere it would be the whole process that gives way. One that gives way further already may not take that back.
  if (platform() === "linux" && getPriority() < niceness) setPriority(niceness);
}
