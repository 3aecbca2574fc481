import { readFile } from "node:fs/promises";
import type { Config } from "./config.ts";
import { maxOpenFiles } from "../symcache/lookup/openSymcaches.ts";

/** What a thread has open beside symcaches, and what a download takes: its connection and the file that is written. */
const perThread = 4;
const perDownload = 2;
/** For Node itself, the log, statsd and Sentry. */
const others = 80;

type Handles = Pick<Config, "converters" | "lookupWorkers" | "maxConnections" | "maxDownloads">;

export interface FileHandles {
  /** How many the process may have; Infinity where the system doesn't say. */
  allowed: number;
  /** How many symcaches, downloads and threads may take. With fewer, modules fail for want of them. */
  least: number;
  /** How many it may take in all, with `ELIOT_MAX_CONNECTIONS`. */
  most: number;
  /** How many connections of clients there may be at a time. */
  maxConnections: number;
}

/**
 * Where there are fewer file handles than `maxConnections` wants, symcaches and downloads keep theirs, and a quarter of all
 * is for connections at least.
 */
export async function shareHandles(config: Handles): Promise<FileHandles> {
  const { converters, lookupWorkers, maxConnections, maxDownloads } = config;
  const allowed = await mostHandles();
  const threads = lookupWorkers * (maxOpenFiles + perThread) + converters * perThread;
  const least = threads + maxDownloads * perDownload + others;
  const forConnections = Math.max(allowed - least, Math.floor(allowed / 4));
  return {
    allowed,
    least,
    most: least + maxConnections,
    maxConnections: Math.min(maxConnections, forConnections),
  };
}

/** How many files and connections this process may have open; Infinity where the system doesn't say. */
async function mostHandles(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}
