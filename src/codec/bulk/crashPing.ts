import {
  crashAddressFrames,
  CrashModules,
  crashedThread,
  type FrameAddress,
} from "../../captures/stackTraces.ts";
import { listModules, type Job, type MemoryMapEntry } from "../../symbolication/job.ts";
import { isObject, type JsonObject } from "../parseJob.ts";
import { RequestError } from "../requestError.ts";
import type { BulkOptions } from "./bulkOptions.ts";

/** What the response to a crash ping has in addition to the frames of its job. */
export interface PingDetails {
  /** Index of the crashed thread among the job's stacks. */
  crashThread: number;
  /** The ping's own names of the modules in the job's memory map, such as `xul.dll` for `xul.pdb`; empty if unknown. */
  filenames: string[];
  /** The keys of these modules in found_modules: the ping's own words, paths included. */
  keys: string[];
  /** How stack walkers found frames: `context`, `cfi`, `scan`. */
  trusts: string[];
  /** Per frame: index in `trusts`, −1 for none. */
  trustIndexes: Int32Array<ArrayBuffer>;
}

/** A crash ping as a job whose memory map has only the modules that frames point into. */
export interface CrashPing {
  job: Job;
  details: PingDetails;
}

/**
 * Parses the requested threads of a crash ping's stack traces. An invalid module or frame doesn't affect other frames. Throws
 * a RequestError.
 */
export function parseCrashPing(
  ping: JsonObject,
  { thread, frames: maxFrames = Infinity }: BulkOptions,
): CrashPing {
  const list = ping["modules"] ?? [];
  if (!Array.isArray(list)) throw new RequestError("modules must be a list", "invalid_modules");
  const all = ping["threads"] ?? [];
  if (!Array.isArray(all)) throw new RequestError("threads must be a list", "invalid_stacks");
  const crashed = crashThread(ping);
  const first = thread === "crashing" ? crashed : 0;
  const threads: unknown[] = thread === "crashing" ? [all[crashed] ?? {}] : all;
  const stacks = threads.map((value, index) => {
    const frames = framesOf(value, first + index);
    return frames.length === 0 && first + index === crashed ? crashAddressFrames(ping) : frames;
  });
  const stackLengths = Uint32Array.from(stacks, ({ length }) => Math.min(length, maxFrames));
  const columns = new FrameColumns(stackLengths.reduce((sum, length) => sum + length, 0));
  const modules = new CrashModules(list);
  const used = new UsedModules(modules);
  for (const [stack, frames] of stacks.entries()) {
    const length = stackLengths[stack] ?? 0;
    for (let index = 0; index < length; index++) {
      const value: unknown = frames[index];
      const frame: FrameAddress = isObject(value) ? value : {};
      const { index: moduleIndex, offset } = modules.locate(frame);
      columns.add(used.indexOf(moduleIndex), offset, frame.trust);
    }
  }
  const { job, trusts, trustIndexes } = columns;
  return {
    job: { memoryMap: listModules(used.memoryMap), stackLengths, ...job },
    details: {
      crashThread: crashed - first,
      filenames: used.filenames,
      keys: used.keys,
      trusts,
      trustIndexes,
    },
  };
}

function crashThread(ping: JsonObject): number {
  const index = crashedThread(ping) ?? 0;
  if (Number.isSafeInteger(index) && (index as number) >= 0) return index as number;
  throw new RequestError("crash_thread is not a valid index into threads", "invalid_stacks");
}

function framesOf(thread: unknown, index: number): unknown[] {
  if (!isObject(thread)) throw new RequestError(`thread ${index} is not an object`, "invalid_stacks");
  const frames = thread["frames"] ?? [];
  if (!Array.isArray(frames))
    throw new RequestError(`thread ${index} has frames that are not a list`, "invalid_stacks");
  return frames;
}

/** The modules that frames point into, in order of first use. */
class UsedModules {
  readonly memoryMap: MemoryMapEntry[] = [];
  readonly filenames: string[] = [];
  readonly keys: string[] = [];
  readonly #modules: CrashModules;
  readonly #indexes = new Map([[-1, -1]]);

  constructor(modules: CrashModules) {
    this.#modules = modules;
  }

  /** The index in `memoryMap` of a module with an index in the ping. */
  indexOf(indexInPing: number): number {
    let index = this.#indexes.get(indexInPing);
    if (index === undefined) {
      const { debugFilename, debugId, filename = debugFilename, key } = this.#modules.at(indexInPing);
      this.filenames.push(filename);
      this.keys.push(key);
      index = this.memoryMap.push([debugFilename, debugId]) - 1;
      this.#indexes.set(indexInPing, index);
    }
    return index;
  }
}

/** The frames of a job, filled one after the other. */
class FrameColumns {
  readonly job: Pick<Job, "moduleIndexes" | "moduleOffsets" | "exactOffsets">;
  readonly trusts: string[] = [];
  readonly trustIndexes: Int32Array<ArrayBuffer>;
  readonly #indexOfTrust = new Map<string, number>();
  #length = 0;

  constructor(frames: number) {
    this.job = {
      moduleIndexes: new Int32Array(frames),
      moduleOffsets: new Float64Array(frames),
      exactOffsets: new BigUint64Array(),
    };
    this.trustIndexes = new Int32Array(frames).fill(-1);
  }

  add(moduleIndex: number, moduleOffset: number | bigint, trust: unknown): void {
    const frameIndex = this.#length++;
    const { job } = this;
    job.moduleIndexes[frameIndex] = moduleIndex;
    job.moduleOffsets[frameIndex] = Number(moduleOffset);
    if (typeof moduleOffset === "bigint") {
      if (job.exactOffsets.length === 0) job.exactOffsets = new BigUint64Array(job.moduleIndexes.length);
      job.exactOffsets[frameIndex] = moduleOffset;
    }
    if (typeof trust !== "string") return;
    let trustIndex = this.#indexOfTrust.get(trust);
    if (trustIndex === undefined) this.#indexOfTrust.set(trust, (trustIndex = this.trusts.push(trust) - 1));
    this.trustIndexes[frameIndex] = trustIndex;
  }
}
