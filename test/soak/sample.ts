import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { bytesIn } from "../support/bytesIn.ts";
import type { Counters } from "./counters.ts";

/** What the service takes at a moment, and how it answered since the moment before. */
export interface Sample {
  /** Since the soak began. */
  minutes: number;
  /** Resident memory, in MB of 10^6 bytes. */
  megabytes: number;
  /** File handles, of which those of symcaches stay open for a while after their last use. */
  handles: number;
  symcacheHandles: number;
  threads: number;
  /** Symcaches, and what is being written. */
  folderMegabytes: number;
  /** NaN where nobody asked. */
  responsesPerSecond: number;
  /** Milliseconds of answers whose symcaches were all in the folder; NaN where there were none. */
  median: number;
  p99: number;
}

interface Measured {
  pid: number;
  folder: string;
  counters: Counters;
}

/** Measures a running process. `minutes` since the soak began, and when the sample before was taken. */
export async function sample(
  { pid, folder, counters }: Measured,
  minutes: number,
  minutesBefore = NaN,
): Promise<Sample> {
  const [status, handles, bytes] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    openFiles(pid),
    folderBytes(folder),
  ]);
  const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s+([0-9]+)`, "m").exec(status)?.[1]);
  const { all, cached } = counters.takeTimes();
  return {
    minutes,
    megabytes: (numberOf("VmRSS") * 1024) / 1e6,
    handles: handles.length,
    symcacheHandles: handles.filter((file) => file.startsWith(folder)).length,
    threads: numberOf("Threads"),
    folderMegabytes: bytes / 1e6,
    responsesPerSecond: all.length / (60 * (minutes - minutesBefore)),
    median: quantile(cached, 0.5),
    p99: quantile(cached, 0.99),
  };
}

/** The lesser of two looks, for a file that is evicted for another meanwhile may be counted with that. */
async function folderBytes(folder: string): Promise<number> {
  const look = async () =>
    (await bytesIn(join(folder, "symcache-v1"))) + (await bytesIn(join(folder, "tmp")));
  return Math.min(await look(), await look());
}

/** What a process has open: paths of files, or the like of `socket:[7]` and `anon_inode:[eventfd]`. */
async function openFiles(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => ""));
  return (await Promise.all(links)).filter((link) => link !== "");
}

/** NaN of no numbers. */
export function quantile(numbers: number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * part)] ?? NaN;
}
