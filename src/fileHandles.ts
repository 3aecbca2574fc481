import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";
import { mostFiles } from "./symbolic/openSymcaches.ts";

/** What a thread has open beside symcaches, and what a download takes: its connection and the file that is written. */
const perThread = 4;
const perDownload = 2;
/** For Node itself, the log, statsd and Sentry. */
const others = 80;

type Handles = Pick<Config, "converters" | "lookupWorkers" | "maxConnections" | "maxDownloads">;

/**
 * How many connections of clients there may be at a time. Where there are fewer file handles than `maxConnections` wants,
 * symcaches and downloads keep theirs, and a quarter of all is for connections at least.
 */
export async function connectionsThatFit(config: Handles): Promise<number> {
  const { converters, lookupWorkers, maxConnections, maxDownloads } = config;
  const handles = await mostHandles();
  const threads = lookupWorkers * (mostFiles + perThread) + converters * perThread;
  const left = handles - threads - maxDownloads * perDownload - others;
  return Math.min(maxConnections, Math.max(left, Math.floor(handles / 4)));
}

/** How many files and connections this process may have open; Infinity where the system doesn't say. */
async function mostHandles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}
