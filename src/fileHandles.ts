import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";
import { mostFiles } from "./symbolic/openSymcaches.ts";

/** For threads, the log, statsd and files that are written. */
const others = 100;

/**
 * How many connections of clients there may be at a time: with fewer file handles than `maxConnections` wants, some are
 * left for symcaches and downloads all the same.
 */
export async function connectionsThatFit({
  maxConnections,
  lookupWorkers,
  maxDownloads,
}: Pick<Config, "maxConnections" | "lookupWorkers" | "maxDownloads">): Promise<number> {
  const handles = await mostHandles();
  // A connection, and the file that is written.
  const needed = lookupWorkers * mostFiles + 2 * maxDownloads + others;
  return Math.min(maxConnections, Math.max(handles - needed, Math.floor(handles / 4)));
}

/** How many files and connections this process may have open; Infinity where the system doesn't say. */
async function mostHandles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}
