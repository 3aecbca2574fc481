import { readFile } from "node:fs/promises";
import type { Config } from "./readConfig.ts";

/** Besides symcaches. */
const handlesPerThread = 4;
/** The connection and the file that is written. */
const handlesPerDownload = 2;
/** For Node itself, the log, statsd and Sentry. */
const otherHandles = 80;

export interface FileHandles {
  /** The process's limit; Infinity if unknown. */
  allowed: number;
  /** For symcaches, downloads and threads. With fewer, modules fail. */
  required: number;
  /** Client connections that the remaining handles allow. */
  maxConnections: number;
}

/** Divides file handles between the engine and client connections. The engine comes first, but a quarter of all is for connections. */
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
