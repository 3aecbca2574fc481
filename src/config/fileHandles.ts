import { readFile } from "node:fs/promises";
import type { Config } from "./readConfig.ts";

/** Open files of a thread beside symcaches, and of a download: its connection and the file that it writes. */
const handlesPerThread = 4;
const handlesPerDownload = 2;
/** For Node itself, the log, statsd and Sentry. */
const otherHandles = 80;

export interface FileHandles {
  /** How many the process may have open; Infinity where the system doesn't say. */
  allowed: number;
  /** How many symcaches, downloads and threads need. With fewer, modules fail for want of them. */
  required: number;
  /** How many connections of clients the rest allows. */
  maxConnections: number;
}

/**
 * Shares file handles between the engine and the connections of clients. Where there are too few for both, the engine
 * comes first, but a quarter of all handles is left to connections.
 */
export async function shareFileHandles(
  { conversion, lookup, server, sources }: Config,
  filesPerLookupThread: number,
): Promise<FileHandles> {
  const allowed = await openFileLimit();
  const threads =
    lookup.threads * (filesPerLookupThread + handlesPerThread) + conversion.threads * handlesPerThread;
  const required = threads + sources.maxDownloads * handlesPerDownload + otherHandles;
  const forConnections = Math.max(allowed - required, Math.floor(allowed / 4));
  return { allowed, required, maxConnections: Math.min(server.maxConnections, forConnections) };
}

async function openFileLimit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return Number(/^Max open files +([0-9]+)/m.exec(limits)?.[1] ?? Infinity);
}
